// Enlarges one photo's colors off the page's thread: {id, task, parts} gets {id, value | error}.

import { Tasks } from "./tasks.js";

const tasks = new Tasks();

self.addEventListener("message", async ({ data: { id, task, parts } }) => {
  try {
    const value = await /** @type {any} */ (tasks)[task](...parts);
    const planes = [value?.rg, value?.luma, value?.alpha].filter((plane) => plane);
    self.postMessage({ id, value }, { transfer: planes.map(({ buffer }) => buffer) });
  } catch (error) {
    self.postMessage({ id, error: /** @type {Error} */ (error).message });
  }
});
