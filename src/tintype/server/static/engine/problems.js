// What an engine refuses, by the kind of its problem (RFC 9457), in words of the page's language.

import { Problem } from "./engine.js";
import { has, t } from "../text.js";

/**
 * A problem detail in the page's words, or in the engine's, which are English.
 * @param {number} status @param {any} body
 */
export function problem(status, body) {
  const { type, detail, values = {} } = body ?? {};
  if (!detail) return new Problem(status, status ? t("server-status", { status }) : t("server-gone"));
  const key = `problem-${String(type).split(":").pop()}`;
  const said = { ...values, detail: String(detail).replace(/^the image: /, "") };
  return new Problem(status, t(has(key) ? key : "problem-refused", said), values);
}
