// Several photos in one archive: the files that the command would make, under its names.

import { recipeOf } from "../state/choice.js";
import { download, outputOf } from "../state/files.js";
import { Problem } from "../engine/engine.js";
import { t } from "../text.js";
import { Zip } from "./zip.js";

/** @typedef {import("../state/open_photo.js").OpenPhoto} OpenPhoto */

/**
 * A name that none of the archive's has yet, whatever the case of its letters.
 * @param {string} name @param {Set<string>} taken in small letters; the name is added
 */
function distinct(name, taken) {
  const end = name.match(/\.(color|layers)\.[^.]+$/)?.[0] ?? "";
  let free = name;
  for (let i = 2; taken.has(free.toLowerCase()); i++) {
    free = `${name.slice(0, name.length - end.length)}-${i}${end}`;
  }
  taken.add(free.toLowerCase());
  return free;
}

/**
 * @param {import("../state/session.js").Session} session
 * @param {OpenPhoto[]} photos @param {{format: string, strip: boolean}} how
 * @param {(done: number) => void} progress @param {AbortSignal} signal
 */
export async function saveAll(session, photos, { format, strip }, progress, signal) {
  const zip = new Zip();
  const taken = /** @type {Set<string>} */ (new Set());
  const failed = [];
  for (const [i, { name, photo, chosen: choice }] of photos.entries()) {
    progress(i);
    if (!photo || !choice) continue;
    const output = outputOf(name, format);
    const asked = { format: output.format, strip_metadata: strip, layers: output.layers };
    try {
      const file = await session.engine.save(photo, recipeOf(choice), asked, signal);
      await zip.add(distinct(output.name, taken), file);
      signal.throwIfAborted();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem) || !error.status) throw error;
      failed.push(`${name}: ${error.message}`);
    }
  }
  if (taken.size) download(zip.finish(), "tintype.zip");
  session.say(t("saved-all", { count: taken.size }));
  for (const one of failed) session.say(one, { kind: "error" });
}
