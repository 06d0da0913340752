// Answers tasks by the editor's own engine: JSON {shared, tasks} on stdin, answers on stdout.

import { readFileSync } from "node:fs";

const [folder] = process.argv.slice(2);
const load = (name) => import(`${folder}/${name}.js`);
const [shared, bins, palettes, edits, recipes, outcomes, bans, sizes, borders, regions, layers] =
  await Promise.all(["shared", "bins", "palette", "edits", "recipe", "outcomes", "bans",
    "working_size", "border", "regions", "layers"].map(load));
const { Palette } = palettes;
const asked = JSON.parse(readFileSync(0, "utf8"));
shared.share(asked.shared);

const pack = ({ shares, banned, tones, bansGray }) => ({
  shares: [...shares], banned, bansGray, tones: tones && tones.map((tone) => [...tone]),
});
const read = ({ shares, banned, tones, bansGray }) => new Palette({
  shares: Float64Array.from(shares), banned, bansGray,
  tones: tones && tones.map((tone) => Float64Array.from(tone)),
});

const KINDS = {
  color: (color) => ({ rgb: bins.rgbOf(color), chroma: bins.chromaOf(color), hue: bins.hasHue(color) ? bins.hueOf(color) : null }),
  hex: ([a, b]) => bins.hexAt(a, b),
  palette: (about) => {
    const palette = read(about);
    return {
      own: pack(palette), forbidden: palette.forbidden, groups: palette.groups, json: palette.toJson(),
      fine: palette.toJson(true), again: pack(Palette.fromJson(palette.toJson(true))),
    };
  },
  edits: ({ palette, list }) => pack(edits.applyEdits(read(palette), list.map(edits.readEdit))),
  distance: ([one, other]) => read(one).distance(read(other)),
  chroma: ({ ab, luma }) => pack(Palette.ofChroma(ab, luma)),
  recipe: ({ recipe, estimate, alternatives, automatic, result }) => {
    const found = recipes.readRecipe(recipe);
    const others = alternatives.map(read);
    const plain = recipes.withoutPins(found);
    return {
      complete: recipes.completeRecipe(found),
      wanted: pack(recipes.applyRecipe(found, read(estimate), others)),
      reached: recipes.measureReached(plain, read(estimate), others, read(automatic), read(result)),
    };
  },
  bans: ({ ab, h, w, palette }) => [...bans.applyBans(Float32Array.from(ab), h, w, read(palette))],
  shrink: ({ data, h, w }) => {
    const small = sizes.shrink({ data: Uint8Array.from(data), h, w }, 64);
    return { ...small, data: [...small.data] };
  },
  border: ({ data, h, w }) => {
    const found = borders.findBorder({ data: Uint8Array.from(data), h, w });
    return found && [...found];
  },
  ways: ({ luma, h, w, row, column }) => [...regions.measureWays(h, w, row, column,
    (one, other) => Math.abs(luma[one] - luma[other]))],
  tint: ({ ab, level }) => [...layers.tint(ab, level)],
  outcomes: ({ list, luma, chroma }) =>
    outcomes.measureOutcomes(list, Float32Array.from(luma), Float32Array.from(chroma)),
};

const answers = asked.tasks.map(([kind, task]) => {
  try {
    return KINDS[kind](task);
  } catch (error) {
    if (!(error instanceof shared.PaletteError)) throw error;
    return { refused: error.message };
  }
});
process.stdout.write(JSON.stringify(answers));
