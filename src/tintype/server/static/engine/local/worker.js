// The model off the page's thread: {id, task, parts} gets {id, value | error}, {part} while it loads.

import { Refusal, share, shared } from "./shared.js";

const ROOT = new URL("../../", import.meta.url); // of the site
const MODELS = "tintype-models";
const THREADS = 4;
const OPTIONS = { executionProviders: ["wasm"], graphOptimizationLevel: "disabled" }; // make_site.py did it
const SIMD = [ // a module with one instruction of it
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** @typedef {import("./model.js").Run} Run */

/** @type {Promise<Run[]> | null} */
let loading = null;

/** @returns {Promise<Run[]>} encoder and decoder */
const load = () => (loading ??= begin().catch((error) => {
  loading = null;
  throw error;
}));

const parts = Promise.all([import("./model.js"), import("./service.js")]); // while the model comes
/** @type {Promise<import("./service.js").Service> | null} */
let serving = null;

/** What answers; it reads a photo while the model is loaded. */
const serve = () => (serving ??= (async () => {
  const [{ Model }, { Service }] = await parts;
  await loadShared();
  const [encoder, decoder] = [0, 1].map((k) => /** @type {Run} */ (
    async (feeds, outputs) => (await load())[k](feeds, outputs)));
  return new Service(new Model(encoder, decoder));
})());

/** Load what is shared, ONNX Runtime and the model. @returns {Promise<Run[]>} encoder and decoder */
async function begin() {
  await loadShared();
  if (!globalThis.WebAssembly?.validate(new Uint8Array(SIMD))) {
    throw new Refusal("old-browser", "expected WebAssembly with SIMD, found a browser without; take a newer one");
  }
  const runtime = (async () => {
    const ort = await import(new URL("ort/ort.wasm.min.mjs", ROOT).href);
    ort.env.logLevel = "error";
    const free = navigator.hardwareConcurrency - 1; // one is the page's
    ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.max(1, Math.min(THREADS, free)) : 1;
    ort.env.wasm.wasmPaths = new URL("ort/", ROOT).href;
    return ort;
  })();
  const names = ["encoder", "decoder"];
  const sizes = Object.values(shared.model_bytes);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const got = names.map(() => 0);
  const graphs = await Promise.all(names.map((name, k) => fetchGraph(name, (bytes) => {
    got[k] = bytes;
    self.postMessage({ part: got.reduce((sum, one) => sum + one, 0) / all, megabytes: all / 2 ** 20 });
  })));
  const ort = await runtime;
  return (await openSessions(ort, graphs)).map((session) => makeRun(ort, session));
}

/** @param {any} ort @param {Uint8Array[]} graphs */
async function openSessions(ort, graphs) {
  const sessions = [];
  try {
    for (const graph of graphs) {
      sessions.push(await ort.InferenceSession.create(graph, OPTIONS));
    }
  } catch (error) {
    console.error(error);
    throw new Refusal("memory", "expected memory for the model, found too little; close other pages, then reload this one");
  }
  return sessions;
}

/** @type {Promise<void> | null} */
let reading = null;
const loadShared = () => (reading ??= fetch(new URL("engine.json", ROOT))
  .then((answer) => answer.json()).then(share));

/** @param {any} ort @param {any} session @returns {Run} */
const makeRun = (ort, session) => async (feeds, outputs) => {
  const known = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
  const given = known.map(([name, { data, dims }]) => [name, new ort.Tensor("float32", data, dims)]);
  return session.run(Object.fromEntries(given), ...(outputs ? [outputs] : []));
};

/**
 * A graph, kept in the browser's cache under its hash.
 * @param {string} name @param {(bytes: number) => void} progress @returns {Promise<Uint8Array>}
 */
async function fetchGraph(name, progress) {
  const address = new URL(`model/${shared.graphs[name]}`, ROOT).href;
  const cache = await globalThis.caches?.open(MODELS).catch(() => null);
  const known = await cache?.match(address);
  const answer = known ?? await fetch(address).catch(() => null);
  if (!answer?.ok || !answer.body) throw new Refusal("no-model", "expected the model, found none; reload the page when you are online");
  const bytes = new Uint8Array(shared.model_bytes[name]);
  let end = 0;
  for (const reader = answer.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes.set(value, end);
    progress(end += value.length);
  }
  if (!known && cache) {
    await cache.put(address, new Response(bytes)).catch(() => {}); // where there is no room
    for (const other of await cache.keys()) if (other.url.includes(`/${name}.`) && other.url !== address) await cache.delete(other);
  }
  return bytes;
}

load().catch(() => {}); // so that it is there when a photo comes; `open` says what is wrong

/** @type {Set<number>} */
const canceled = new Set();

self.addEventListener("message", async ({ data: { id, task, parts, cancel } }) => {
  if (cancel) {
    canceled.add(cancel);
    return;
  }
  try {
    if (task === "health") {
      await loadShared();
      self.postMessage({ id, value: shared });
      return;
    }
    if (task === "load") {
      await load();
      self.postMessage({ id });
      return;
    }
    const service = await serve();
    const value = await /** @type {any} */ (service)[task](...parts, () => canceled.has(id));
    self.postMessage({ id, value }, { transfer: value?.planes instanceof ArrayBuffer ? [value.planes] : [] });
  } catch (error) {
    const known = error instanceof Refusal;
    if (!known && !canceled.has(id)) console.error(error);
    const about = known ? error : { kind: "broken", message: String(error), values: {} };
    self.postMessage({
      id, status: known ? 422 : 500, error: { type: about.kind, detail: about.message, values: about.values },
    });
  } finally {
    canceled.delete(id);
  }
});
