// Which half of a comparison is which: a label at the top of each.

import { make } from "../make.js";
import { t } from "../text.js";

const NARROW = 24; // pixels of a half that has no label
const EDGE = 8; // pixels between a label and the edges of the photo and of the viewer

/** @param {import("../state/session.js").Session} session @param {import("./viewer.js").PhotoViewer} viewer */
export function showHalves(session, viewer) {
  const labels = [make("p", { class: "half" }), make("p", { class: "half" }, t("now"))];
  viewer.overlay.append(...labels);
  const put = () => {
    const [start, end] = [viewer.screenOf({ x: 0, y: 0 }), viewer.screenOf({ x: 1, y: 1 })];
    const line = viewer.screenOf({ x: viewer.split, y: 0 }).x;
    const left = Math.max(0, start.x) + EDGE;
    const right = Math.min(viewer.clientWidth, end.x) - EDGE;
    for (const [i, label] of labels.entries()) {
      label.hidden = !viewer.compares || viewer.gray;
      const wide = label.offsetWidth; // where a half has no room, it is beside the photo
      const x = i ? Math.max(right - wide, line + EDGE) : Math.min(left, line - EDGE - wide);
      const narrow = (i ? end.x - line : line - start.x) < NARROW;
      label.style.translate = `${x}px ${Math.max(0, start.y) + EDGE}px`;
      label.style.visibility = narrow || x < 0 || x + wide > viewer.clientWidth ? "hidden" : "";
    }
  };
  session.on("compared", (version) => {
    if (version) labels[0].textContent = t("version", { i: version.number });
    put();
  });
  viewer.addEventListener("layout", put);
  put();
}
