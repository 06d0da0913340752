// What is open, kept in the browser's storage, so that a page goes on where it was: after a reload, a
// crash, another day.
//
//     sessions  [id]       version, when, the model, the photos' order, which is open: one a tab
//     photos    [id, key]  what was chosen and how it was looked at; written when it changed
//     files     [id, key]  the photo's file; written once

import { t } from "../text.js";
import { unedited } from "./choice.js";
import { OpenPhoto } from "./open_photo.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./choice.js").Choice} Choice */
/**
 * @typedef {{name: string, photo: OpenPhoto["photo"], states: Choice[], at: number,
 *   view: OpenPhoto["view"], thumbnail: Blob | null, versions?: OpenPhoto["versions"]}} Kept of a photo
 */
/**
 * @typedef {{version: number, saved: number, model: string, open: string, order: string[]}} Saved
 */

const VERSION = 1; // of what is kept; what another version kept stays where it is
const NAME = `tintype-${VERSION}`;
const STORES = ["sessions", "photos", "files"];
const PAUSE = 300; // milliseconds after a change
const WAIT = 1500; // milliseconds that a page before this one may take to go
const LIFETIME = 30 * 24 * 60 * 60 * 1000; // milliseconds for which a session that nobody opens is kept

export class SessionStore {
  /** @type {IDBDatabase | null} */ #db = null;
  #id = "";
  /** @type {Map<string, Kept>} */ #kept = new Map(); // by the photos' keys, as they were written
  /** @type {Set<string>} */ #refused = new Set(); // whose files have no room
  #timer = 0;
  #failed = false;

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
  }

  /** Whether all that is open is kept. */
  get isComplete() {
    return !this.#failed && !this.#refused.size;
  }

  /** Go on where this tab, or one that is gone, was; and keep what comes. */
  async begin() {
    try {
      this.#db = await openStore(NAME).catch(() => openStore(`${NAME}-anew`));
      const all = await this.#all();
      this.#id = await claim(all.map(([id]) => id));
      await this.#forget(all.filter(([id, { saved }]) => id !== this.#id && Date.now() - saved > LIFETIME));
      const record = all.find(([id]) => id === this.#id)?.[1];
      if (record) await this.#restore(record);
    } catch (error) {
      console.warn(error);
      this.#fail();
    }
    for (const name of ["photos", "open", "encoded", "choice", "view"]) {
      this.session.on(name, () => this.#changed());
    }
    addEventListener("pagehide", () => this.#timer && this.#save());
    if (this.session.photos.length) this.#changed();
  }

  /** Every session that can be read, the latest first. @returns {Promise<[string, Saved][]>} */
  async #all() {
    const store = this.#open("readonly").sessions;
    const [ids, records] = await Promise.all([settle(store.getAllKeys()), settle(store.getAll())]);
    return ids.map((id, i) => /** @type {[string, Saved]} */ ([String(id), records[i]]))
      .filter(([, one]) => one?.version === VERSION && Array.isArray(one.order))
      .sort(([, a], [, b]) => b.saved - a.saved);
  }

  /** @param {"readonly" | "readwrite"} mode */
  #open(mode) {
    const transaction = /** @type {IDBDatabase} */ (this.#db).transaction(STORES, mode);
    const [sessions, photos, files] = STORES.map((name) => transaction.objectStore(name));
    return { transaction, sessions, photos, files };
  }

  /** Delete sessions that no tab has open. @param {[string, Saved][]} old */
  async #forget(old) {
    for (const [id] of old) {
      if (!(await isUnused(id))) continue;
      const { transaction, ...stores } = this.#open("readwrite");
      stores.sessions.delete(id);
      const all = IDBKeyRange.bound([id], [id, []]); // of this session, whatever the photo
      for (const store of [stores.photos, stores.files]) store.delete(all);
      transaction.commit();
    }
  }

  /** @param {Saved} record */
  async #restore({ order, open, model, saved }) {
    const { session } = this;
    const { photos, files } = this.#open("readonly");
    const asked = order.map((key) => Promise.all([
      key, settle(files.get([this.#id, key])), settle(photos.get([this.#id, key])),
    ]));
    const found = [];
    for (const [key, file, kept] of await Promise.all(asked)) {
      if (file instanceof File) found.push(revive(file, key, kept, model === session.server?.model));
    }
    if (!found.length) return;
    for (const one of found) this.#kept.set(one.key, keptOf(one));
    session.restore(found, found.find(({ key }) => key === open) ?? found[0]);
    const startNew = () => session.say(t("closed-all"), {
      action: { name: t("take-back"), act: session.closeAll() },
    });
    session.say(t("continued", { time: timeOf(saved) }), {
      action: { name: t("start-new"), act: startNew },
    });
  }

  #changed() {
    clearTimeout(this.#timer);
    this.#timer = this.#db && this.#id ? setTimeout(() => this.#save(), PAUSE) : 0;
  }

  /** Write what is new; files apart, so that one without room does not take others along. */
  #save() {
    this.#timer = 0;
    try {
      const { photos } = this.session;
      for (const one of photos) {
        if (!this.#kept.has(one.key) && !this.#refused.has(one.key)) this.#saveFile(one);
      }
      const { transaction, ...stores } = this.#open("readwrite");
      transaction.onabort = () => this.#fail();
      for (const one of photos) {
        const now = keptOf(one);
        if (this.#refused.has(one.key) || isSame(now, this.#kept.get(one.key))) continue;
        stores.photos.put(now, [this.#id, one.key]);
        this.#kept.set(one.key, now);
      }
      const order = photos.map(({ key }) => key);
      for (const key of [...this.#kept.keys()].filter((one) => !order.includes(one))) {
        for (const store of [stores.photos, stores.files]) store.delete([this.#id, key]);
        this.#kept.delete(key);
      }
      const record = {
        version: VERSION, saved: Date.now(), order, open: this.session.open?.key ?? "",
        model: this.session.server?.model ?? "",
      };
      if (order.length) stores.sessions.put(record, this.#id);
      else stores.sessions.delete(this.#id);
      transaction.commit();
    } catch (error) {
      console.warn(error);
      this.#fail();
    }
  }

  /** @param {OpenPhoto} one */
  #saveFile(one) {
    const { transaction, files } = this.#open("readwrite");
    files.put(one.file, [this.#id, one.key]);
    transaction.onabort = () => {
      if (this.isComplete) this.session.say(t("no-room", { name: one.name }), { kind: "error" });
      this.#refused.add(one.key);
    };
    transaction.commit();
  }

  #fail() {
    if (this.isComplete) this.session.say(t("not-kept"), { kind: "error" });
    this.#failed = true;
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const settle = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @param {string} name @returns {Promise<IDBDatabase>} */
async function openStore(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => STORES.forEach((one) => request.result.createObjectStore(one));
  const db = await settle(request);
  if (STORES.every((one) => db.objectStoreNames.contains(one))) return db;
  db.close();
  throw new Error(`expected ${STORES.join(", ")} in ${name}, found others`);
}

/**
 * A session for this tab, that no other tab has.
 * @param {string[]} all of which one may be gone on with, the latest first @returns {Promise<string>}
 */
async function claim(all) {
  const own = sessionStorage.getItem(NAME);
  let id = own && (await isFree(own, WAIT)) ? own : null;
  for (const one of navigator.locks ? all : []) id ??= (await isFree(one, 0)) ? one : null;
  id ??= `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  sessionStorage.setItem(NAME, id);
  if (id !== own) await isFree(id, WAIT);
  return id;
}

/**
 * Whether no tab has a session; then this one has it as long as it lives.
 * @param {string} id @param {number} wait milliseconds @returns {Promise<boolean>}
 */
async function isFree(id, wait) {
  if (!navigator.locks) return true; // a page from another machine, without encryption
  return new Promise((resolve) => {
    const how = wait ? { signal: AbortSignal.timeout(wait) } : { ifAvailable: true };
    navigator.locks.request(`${NAME} ${id}`, how, (lock) => {
      resolve(Boolean(lock));
      return lock ? new Promise(() => {}) : undefined;
    }).catch(() => resolve(false));
  });
}

/** Whether no tab has a session; it stays free. @param {string} id @returns {Promise<boolean>} */
const isUnused = async (id) =>
  !navigator.locks || navigator.locks.request(`${NAME} ${id}`, { ifAvailable: true }, Boolean);

/** @param {OpenPhoto} one @returns {Kept} */
const keptOf = ({ name, photo, history, view, thumbnail, versions }) =>
  ({ name, photo, states: history?.states ?? [], at: history?.at ?? 0, view, thumbnail, versions });

/** @param {Kept} now @param {Kept | undefined} before */
const isSame = (now, before) =>
  before !== undefined && Object.entries(now).every(([name, value]) => value === Reflect.get(before, name));

/**
 * A photo as it was; what cannot be read of it begins anew.
 * @param {File} file @param {string} key @param {Kept | undefined} kept
 * @param {boolean} known whether the engine's words on it still hold
 */
function revive(file, key, kept, known) {
  const one = new OpenPhoto(file, key);
  try {
    if (!kept?.states.length) return one;
    const { photo, states, at, view, thumbnail } = kept;
    const whole = states.map((state) => check({ ...unedited({ palette: NONE, groups: [] }), ...state }));
    if (!whole[at]) return one;
    one.resume({ photo: known ? photo : null, states: whole, at });
    one.view = view;
    one.thumbnail = thumbnail instanceof Blob ? thumbnail : null;
    one.versions = (kept.versions ?? []).filter((version) => check(version.choice));
  } catch (error) {
    console.warn(error);
  }
  return one;
}

/** @type {import("../engine/engine.js").PaletteFile} */
const NONE = { version: 1, colors: [], neutral: 1 };

/** @param {Choice} choice @returns {Choice} */
function check(choice) {
  const { spots, kept, pins } = choice;
  if (![spots, kept, pins].every(Array.isArray)) throw new Error("expected a choice, found another");
  return choice;
}

/** @param {number} saved milliseconds @returns {string} the time, with its day unless it is today's */
function timeOf(saved) {
  const when = new Date(saved);
  const day = when.toDateString() === new Date().toDateString() ? {} : { day: "numeric", month: "long" };
  return when.toLocaleString(document.documentElement.lang, /** @type {any} */ (
    { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...day }));
}
