"""Make the pictures that README and the model card show, with the bundled model.

    python docs/make_pictures.py [--photos FOLDER -o SHEET.jpg]

With --photos, a contact sheet of your own photos instead: gray, automatic, red, blue.
"""

import argparse
from pathlib import Path

from PIL import Image

import tintype
from tintype import chart

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
HEIGHT = 320
COLUMNS = ("gray", "automatic", "towards red", "towards blue")


def row(colorizer: tintype.Colorizer, path: Path) -> list[Image.Image]:
    """A photo in gray, coloured automatically, and steered as in the paper's figures 6 and 8."""
    encoded = colorizer.encode(path)
    wishes = (None, encoded.palette.towards("red"), encoded.palette.towards("blue"))
    coloured = [colorizer.decode(encoded, wish).image.convert("RGB") for wish in wishes]
    gray = Image.fromarray(encoded.photo.luma).convert("RGB")
    return [gray, *coloured]


def sheet(colorizer: tintype.Colorizer, paths: list[Path], height: int = HEIGHT) -> Image.Image:
    """Rows of photos of one height, one below the other."""
    rows = []
    for path in paths:
        images = row(colorizer, path)
        wide = round(images[0].width * height / images[0].height)
        small = [i.resize((wide, height), Image.Resampling.LANCZOS) for i in images]
        rows.append(chart.side_by_side(small, list(COLUMNS), max_height=height))
    whole = Image.new("RGB", (max(r.width for r in rows), sum(r.height for r in rows)), "white")
    top = 0
    for strip in rows:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


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
    images = row(colorizer, EXAMPLES / "coffee.jpg")
    chart.side_by_side(images, list(COLUMNS), max_height=280).save(DOCS / "hero.jpg", quality=92)
    estimated = colorizer.encode(EXAMPLES / "coffee.jpg").palette
    chart.histogram(estimated, estimated.towards("red")).save(DOCS / "palette.png", optimize=True)


if __name__ == "__main__":
    main()
