// The photo's own palette and four others, each plausible, as small pictures to choose from: what was
// edited is kept, so they show it, too.

import { showPicture, tile } from "../film.js";
import { the } from "../page.js";
import { recipeOf, varied } from "../state/choice.js";
import { t } from "../text.js";

const PAUSE = 500; // milliseconds after an edit

/** @param {import("../state/session.js").Session} session */
export function showVariants(session) {
  const row = the("variants", HTMLDivElement);
  const tiles = [0, 1, 2, 3, 4].map((alternative) => {
    const name = alternative ? t("variant", { i: alternative }) : t("variant-automatic");
    return tile(name, () => session.vary(alternative));
  });
  let [seen, count, timer] = [false, 0, 0];
  const draw = async () => {
    const mine = ++count;
    const one = session.open;
    if (!one?.photo) return;
    for (const [alternative, element] of tiles.entries()) {
      const { choice, variants } = one;
      if (!choice || alternative > one.photo.alternatives.length) return;
      const known = variants[alternative];
      if (!known || (seen && known.choice !== choice)) {
        const recipe = recipeOf(varied(choice, one.photo, alternative));
        const picture = await session.engine.thumbnail(one.photo, recipe);
        variants[alternative] = { choice, picture };
        if (mine !== count) return;
      }
      showPicture(element, variants[alternative].picture);
      if (!element.isConnected) row.append(element);
    }
    mark();
  };
  const mark = () => {
    for (const [i, element] of tiles.entries()) {
      const chosen = session.choice && !session.choice.palette && i === session.choice.alternative;
      element.setAttribute("aria-pressed", String(Boolean(chosen)));
    }
  };
  const begin = () => {
    row.replaceChildren();
    setTimeout(() => session.try(draw)); // after the photo's own colors
  };
  new IntersectionObserver(([{ isIntersecting }]) => {
    seen = isIntersecting;
    if (seen) session.try(draw);
  }).observe(row);
  session.on("open", begin);
  session.on("encoded", begin);
  session.on("choice", mark);
  session.on("shown", ({ done }) => {
    clearTimeout(timer);
    if (done && seen) timer = window.setTimeout(() => session.try(draw), PAUSE);
  });
}
