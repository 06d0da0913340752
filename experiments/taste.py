"""How far the automatic colors follow a simulated person's taste, after how many recipes.

    python experiments/taste.py --start checkpoints/MODEL.safetensors \\
        --photos ../shared/data/photos128-000.tar.gz --unseen ../shared/data/validation-000.tar.gz

A person with a fixed taste saves recipes for 5, 20 and 60 photos; `tintype train --recipes`
fine-tunes the checkpoint of the bundled model on them; 100 photos of another source are colored
automatically before and after. Writes results/taste.json and results/taste.md, and with --pictures
FOLDER one picture per taste: gray, before, after 60 recipes, and what the taste asks for. It takes
some minutes on one core.
"""

import argparse
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tintype
from tintype import Edit, Saturate, Towards
from tintype.research import export
from tintype.research.training import fine_tuning

TASTES: dict[str, tuple[Edit, ...]] = {
    "warmer": (Towards("orange", 0.16), Saturate(1.2)),
    "bluer": (Towards("blue", 0.16),),
}
COUNTS = (5, 20, 60)

WORDS = """\
Share of the way from the automatic colors of the bundled model to those that a taste asks for, on
{} photos that were never seen: median (quartiles); 1 is all of it, by the earth mover's distance.
Palettes: what is estimated. Photos: what is painted from it, beside what the bundled model paints
by the taste's recipe. Seed {}.

"""


def grays(path: Path, count: int, seed: int) -> list[Image.Image]:
    """Photos of a tar file, drawn at random, without their colors."""
    with tarfile.open(path) as tar:
        files = [member for member in tar if member.isfile()]
        drawn = np.random.default_rng(seed).choice(len(files), count, replace=False)
        contents = {i: tar.extractfile(files[i]).read() for i in sorted(drawn)}  # type: ignore
    return [Image.open(io.BytesIO(contents[i])).convert("L") for i in drawn]


def save_recipes(folder: Path, photos: list[Image.Image], recipe: tintype.Recipe) -> None:
    """What a person leaves who colors photos one after the other and saves recipes."""
    folder.mkdir()
    for i, photo in enumerate(photos):
        photo.save(folder / f"photo-{i:02}.png")
        (folder / f"photo-{i:02}.json").write_text(recipe.to_json())


def fine_tune(
    work: Path, start: Path, photos: list[Image.Image], recipe: tintype.Recipe, seed: int
) -> Any:
    """The bundled model after recipes for these photos, and what its fine-tuning reports."""
    folder = work / f"{len(photos)}"
    save_recipes(folder, photos, recipe)
    config = fine_tuning.FineTuningConfig(recipes=str(folder), start=str(start), seed=seed)
    report = fine_tuning.train(work / f"run-{len(photos)}", config, {})
    model = work / f"model-{len(photos)}"
    export.export(work / f"run-{len(photos)}", model, {}, [str(folder)])
    return tintype.load(model, threads=1), report


def measure_ways(new: Any, old: list[Any], recipe: tintype.Recipe) -> dict[str, list[float]]:
    """The share of the way from the old to the target palettes, photo by photo: 1 is all of it.

    palettes: of the automatic palette to the one that the taste asks for; photos: of the palette
    of what is painted automatically to that of what the old model paints by the recipe
    """
    ways: dict[str, list[float]] = {"palettes": [], "photos": []}
    for before, automatic, steered in old:
        after = new.encode(before.photo)
        target = recipe.apply(before.palette)
        ways["palettes"].append(share(after.palette, before.palette, target))
        ways["photos"].append(share(new.decode(after).palette, automatic.palette, steered.palette))
    return ways


def share(new: Any, old: Any, target: Any) -> float:
    """1 - d(new, target) / d(old, target), d the earth mover's distance of palettes."""
    return 1 - new.distance(target) / max(old.distance(target), 1e-9)


def draw_picture(new: Any, old: list[Any], path: Path, count: int = 8) -> None:
    """Rows of photos: gray, before, after, steered by the recipe."""
    rows = []
    for before, automatic, steered in old[:count]:
        after = new.decode(new.encode(before.photo))
        shown = [Image.fromarray(before.photo.luma), automatic.image, after.image, steered.image]
        rows.append(np.concatenate([np.asarray(crop_square(image)) for image in shown], axis=1))
    Image.fromarray(np.concatenate(rows)).save(path, quality=90)


def crop_square(image: Image.Image, side: int = 192) -> Image.Image:
    """The middle square of a photo."""
    left, top = ((length - min(image.size)) / 2 for length in image.size)
    box = (left, top, left + min(image.size), top + min(image.size))
    return image.convert("RGB").resize((side, side), box=box)


def format_table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown."""
    lines = [
        "| taste | recipes | steps | palettes | photos |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            "{1:.2f} ({0:.2f}-{2:.2f})".format(*row[what]["quartiles"])
            for what in ("palettes", "photos")
        ]
        lines.append(
            f"| {row['taste']} | {row['recipes']} | {row['steps']} | {' | '.join(cells)} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="tar file to give recipes for")
    parser.add_argument("--start", type=Path, required=True, help="the bundled model's checkpoint")
    parser.add_argument("--unseen", type=Path, required=True, help="tar file to measure on")
    parser.add_argument("--out", type=Path, default=Path("results"), help="where the table goes")
    parser.add_argument("--pictures", type=Path, help="where pictures go")
    parser.add_argument("--count", type=int, default=100, help="how many unseen photos")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    bundled = tintype.load(threads=1)
    photos = grays(options.photos, max(COUNTS), options.seed)
    unseen = [bundled.encode(gray) for gray in grays(options.unseen, options.count, options.seed)]
    rows = []
    for name, edits in TASTES.items():
        recipe = tintype.Recipe(edits=edits).complete(bundled.model)
        old = [(e, bundled.decode(e), bundled.decode(e, recipe)) for e in unseen]
        with tempfile.TemporaryDirectory() as work:
            for count in COUNTS:
                new, report = fine_tune(
                    Path(work), options.start, photos[:count], recipe, options.seed
                )
                ways = measure_ways(new, old, recipe)
                quartiles = {
                    what: {
                        "quartiles": [round(float(q), 3) for q in np.percentile(v, [25, 50, 75])]
                    }
                    for what, v in ways.items()
                }
                rows.append(
                    {
                        "taste": name,
                        "edits": [edit.to_json() for edit in edits],
                        **report,
                        **quartiles,
                    }
                )
                print(format_table(rows[-1:]).splitlines()[-1], flush=True)
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            draw_picture(new, old, options.pictures / f"{name}.jpg")
    given = {name: vars(options)[name] for name in ("start", "photos", "unseen")}
    command = " ".join(["python experiments/taste.py", *(f"--{n} {v}" for n, v in given.items())])
    about = {
        "command": command,
        "seed": options.seed,
        "start": str(options.start),
        "unseen": options.count,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "taste.json").write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")
    words = WORDS.format(options.count, options.seed)
    (options.out / "taste.md").write_text(f"{words}{format_table(rows)}\n    {command}\n")


if __name__ == "__main__":
    main()
