"""Make the pictures that README and the model card show, with the bundled model.

    python tools/make_pictures.py [--photos FOLDER -o SHEET.jpg]

With --photos, a contact sheet of your own photos instead: gray, automatic, red, blue.
"""

import argparse
from pathlib import Path

from PIL import Image
from sheet import captioned, stacked

import tintype
from tintype import charts

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = DOCS.parent / "examples"
HEIGHT = 320


def color_variants(colorizer: tintype.Colorizer, path: Path) -> dict[str, Image.Image]:
    """A photo in gray, colored automatically, and steered as in the paper's figures 6 and 8."""
    encoded = colorizer.encode(path)
    photos = {
        "gray": Image.fromarray(encoded.photo.luma),
        "automatic": colorizer.decode(encoded).image,
    }
    for color in ("red", "blue"):
        recipe = tintype.Recipe().towards(color)
        photos[f"towards {color}"] = colorizer.decode(encoded, recipe).image
    return photos


def sheet(colorizer: tintype.Colorizer, paths: list[Path], height: int = HEIGHT) -> Image.Image:
    """Rows of photos of one height, one below the other."""
    return stacked([captioned(color_variants(colorizer, path), height) for path in paths])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("sheet.jpg"))
    options = parser.parse_args()
    colorizer = tintype.load()
    if options.photos:
        paths = sorted(p for p in options.photos.iterdir() if p.suffix.lower() == ".jpg")
        sheet(colorizer, paths, 240).save(options.output, quality=88)
        return
    paths = [EXAMPLES / f"{n}.jpg" for n in ("coffee", "astronaut", "chelsea", "camera")]
    sheet(colorizer, paths).save(DOCS / "examples.jpg", quality=90)
    hero = captioned(color_variants(colorizer, EXAMPLES / "chelsea.jpg"), 280)
    hero.save(DOCS / "hero.jpg", quality=92)
    estimated = colorizer.encode(EXAMPLES / "coffee.jpg").palette
    charts.histogram(estimated, estimated.towards("red")).save(DOCS / "palette.png", optimize=True)


if __name__ == "__main__":
    main()
