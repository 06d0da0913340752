"""How often a true color is among the suggestions: python experiments/suggestions.py PHOTOS.tar.gz

Three random places of each of the first 200 photos; the numbers are in docs/decisions.md.
"""

import io
import sys
import tarfile
from collections.abc import Iterator
from itertools import islice

import numpy as np
from PIL import Image

from tintype.bins import OKLAB, chroma_of
from tintype.colorizer import load
from tintype.layers import find_cell
from tintype.working_size import shrink

COUNT = 200
PLACES = 3
ENDINGS = (".jpg", ".png", ".webp")
ALIKE = 0.04  # OKLab chroma
COLORED = 0.04  # from which a true color is not nearly gray


def read_photos(path: str) -> Iterator[Image.Image]:
    """The photos of a tar file, in RGB."""
    with tarfile.open(path) as tar:
        for member in tar:
            if member.name.endswith((".jpg", ".png", ".webp")) and (
                file := tar.extractfile(member)
            ):
                yield Image.open(io.BytesIO(file.read())).convert("RGB")


def main(path: str) -> None:
    """Print shares of places, of all and of those with a color."""
    colorizer, rng = load(), np.random.default_rng(16)
    model, rows, strength = colorizer.model, [], []
    for photo in islice(read_photos(path), COUNT):
        encoded = colorizer.encode(photo)
        encoding = encoded.encoding
        high, wide = encoding.luma.shape
        ab = OKLAB.chroma(np.asarray(shrink(photo, model.side)) / 255)
        truth = ab.reshape(high, 4, wide, 4, 2).mean((1, 3))
        automatic = model.decode(encoding, encoded.palette, model.vividness)
        for x, y in rng.random((PLACES, 2)).tolist():
            cell = find_cell((x, y), (high, wide))
            five = np.stack([chroma_of(one.color) for one in encoded.suggest(x, y)])
            chance = OKLAB.centers[rng.choice(OKLAB.count, 5, replace=False)]
            colors = (five, five[:1], automatic[cell][None], chance)
            gaps = [np.linalg.norm(c - truth[cell], axis=1).min() for c in colors]
            rows.append([gap < ALIKE for gap in gaps])
            strength.append(float(np.hypot(*truth[cell])))
    found, colored = np.array(rows), np.array(strength) >= COLORED
    for name, some in (("all", found), ("with a color", found[colored])):
        shares = zip(("five", "first", "automatic", "random"), some.mean(0), strict=True)
        print(name, len(some), *(f"{kind} {100 * share:.0f} %" for kind, share in shares))


if __name__ == "__main__":
    main(sys.argv[1])
