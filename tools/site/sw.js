// Keeps the site's files, and isolates its pages, so that the model may use several processors.

const VERSION = "@version@";
const FILES = [/* @files@ */];
const PAGES = ["document", "worker", "sharedworker"]; // what else there is keeps its compiled code
const CACHE = `tintype-${VERSION}`;

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((name) => new Request(name, { cache: "no-cache" })));
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (/^tintype-[0-9a-f]+$/.test(name) && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(request, { ignoreSearch: true }) ?? await fetch(request);
  if (!found.ok || !PAGES.includes(request.destination)) return found;
  const headers = new Headers(found.headers);
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("cross-origin-embedder-policy", "require-corp");
  return new Response(found.body, { status: found.status, statusText: found.statusText, headers });
}
