// The engine in the browser itself, where the page has no server; a script of its own, so that the
// model is on its way before the rest of the page is there.

const isAlone = document.querySelector('meta[name="tintype-engine"]') !== null;

export const local = isAlone ? new (await import("./local.js")).LocalEngine() : null;
