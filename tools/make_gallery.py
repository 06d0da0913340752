"""Make the gallery's pictures, by the very commands that the page shows.

    python tools/make_gallery.py

docs/gallery.md is the one list of them: commands follow each picture, and are run as they stand. A
group of commands is a row of the picture, an output's name a caption. The gray photo comes first,
and last its original in color, where examples/originals/ has it.
"""

import contextlib
import re
import shlex
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from sheet import captioned, stacked

from tintype.cli import cli

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = DOCS.parent / "examples"
PAGE = DOCS / "gallery.md"
STRIP = re.compile(r"\]\(gallery/(\w+)\.jpg\)\n\n((?: {4}.+\n|\n)+)")
WIDTH = 300  # of each photo, pixels
QUALITY = 82


def strips(page: str) -> dict[str, list[list[str]]]:
    """The commands of each picture in a page's text, in groups that become rows."""
    return {
        name: [
            [line.strip() for line in group.splitlines()] for group in block.strip().split("\n\n")
        ]
        for name, block in STRIP.findall(page)
    }


def results(command: str, folder: Path) -> list[Path]:
    """The photos that a command makes, by name; it is run as if this folder were the repository."""
    words = shlex.split(command)[1:]
    out = (folder / words[words.index("-o") + 1]).parent
    before = set(out.glob("*"))
    with contextlib.chdir(folder):
        try:
            cli(words)  # in this process, as starting others would double the time
        except SystemExit as end:
            if end.code:
                raise
    return sorted(set(out.glob("*")) - before)


def strip(name: str, groups: list[list[str]], folder: Path) -> Image.Image:
    """A photo in gray, as its commands color it, and in its own colors."""
    rows = [[path for command in group for path in results(command, folder)] for group in groups]
    photos = [{path.stem.replace("-", " "): Image.open(path) for path in row} for row in rows]
    gray, original = Image.open(EXAMPLES / f"{name}.jpg"), EXAMPLES / "originals" / f"{name}.jpg"
    photos[0] = {"gray": gray} | photos[0]
    if original.exists():
        photos[-1]["the original"] = Image.open(original)
    return stacked([captioned(row, WIDTH * gray.height // gray.width) for row in photos])


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(EXAMPLES, folder / "examples")
        (DOCS / "gallery").mkdir(exist_ok=True)
        for name, groups in strips(PAGE.read_text()).items():
            picture = strip(name, groups, folder)
            picture.save(DOCS / "gallery" / f"{name}.jpg", quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
