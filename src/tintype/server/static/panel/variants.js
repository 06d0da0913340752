// The photo's own palette and four others, each plausible, as small pictures to choose from.

import { showPicture, tile } from "../film.js";
import { the } from "../page.js";
import { recipeOf, unedited } from "../state/choice.js";
import { t } from "../text.js";

/** @param {import("../state/session.js").Session} session */
export function showVariants(session) {
  const row = the("variants", HTMLDivElement);
  const tiles = [0, 1, 2, 3, 4].map((alternative) =>
    {
    const name = alternative ? t("variant", { i: alternative }) : t("variant-automatic");
    return tile(name, () => session.vary(alternative));
  });
  const draw = async () => {
    const one = session.open;
    row.replaceChildren();
    if (!one?.photo) return;
    for (const [alternative, element] of tiles.entries()) {
      if (alternative > one.photo.alternatives.length) return;
      const recipe = recipeOf(unedited(one.photo, { alternative }));
      one.variants[alternative] ??= await session.engine.thumbnail(one.photo, recipe);
      if (one !== session.open) return;
      showPicture(element, one.variants[alternative]);
      row.append(element);
    }
    mark();
  };
  const mark = () => {
    for (const [i, element] of tiles.entries()) {
      const chosen = session.choice && !session.choice.palette && i === session.choice.alternative;
      element.setAttribute("aria-pressed", String(Boolean(chosen)));
    }
  };
  session.on("open", () => session.try(draw));
  session.on("encoded", () => session.try(draw));
  session.on("choice", mark);
}
