"""Fit the constants of `regions.py`: how surely a cell belongs to the thing that a pin lies on.

    python experiments/pins/fit.py --photos FOLDER

A logistic regression over the cells of set "a", each thing as heavy as another, the rest of a photo
four times as heavy as the thing, so that little is spilled; then what it gives on set "b".
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from measure import SIDE, draw_outline, load_cases
from PIL import Image

import tintype
from tintype import regions
from tintype.colorizer import Colorizer
from tintype.photo import read

REST = 4.0  # how heavy the rest of a photo is
CELLS = 500  # of the rest that a thing is fitted on


def find_cues(colorizer: Colorizer, case: dict[str, Any], folder: Path) -> tuple[np.ndarray, ...]:
    """The cues of each cell (cells, 4), and how much of it is of the thing (cells,)."""
    encoded = colorizer.encode(read(folder / case["photo"]).shrunk(SIDE))
    cues = regions.measure_cues(colorizer.model, encoded.encoding, tuple(case["at"]))
    truth = Image.fromarray(draw_outline(case, encoded.photo.size).astype(np.float32))
    size = (cues.shape[2], cues.shape[1])
    part = np.asarray(truth.resize(size, Image.Resampling.BOX))
    return np.concatenate([np.ones((1, *cues.shape[1:])), -cues]).reshape(4, -1).T, part.ravel()


def fit(cases: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    """The weights (4,), by Newton's steps."""
    rng = np.random.default_rng(0)
    rows, parts, weights = [], [], []
    for cues, part in cases:
        inside = np.flatnonzero(part > 0.5)
        outside = rng.choice(np.flatnonzero(part <= 0.5), CELLS)
        rows.append(cues[np.concatenate([inside, outside])])
        parts.append(part[np.concatenate([inside, outside])])
        weights += [np.full(len(inside), 1 / max(1, len(inside))), np.full(CELLS, REST / CELLS)]
    x, y, w = np.concatenate(rows), np.concatenate(parts), np.concatenate(weights) / len(cases)
    found = np.zeros(x.shape[1])
    for _ in range(12):
        p = 1 / (1 + np.exp(-(x @ found).clip(-30, 30)))
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(len(found))
        found -= np.linalg.solve(hessian, x.T @ (w * (p - y)) + 1e-3 * found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="the photos' folder")
    o = parser.parse_args()
    colorizer = tintype.load(threads=1)
    sets = {s: [find_cues(colorizer, c, o.photos) for c in load_cases(s)] for s in ("a", "b")}
    found = fit(sets["a"])
    print(f"OWN {found[0]:.2f}, WEIGHTS {found[1:].round(2)}")
    for name, cases in sets.items():
        shown = [((cues @ found) > 0, part) for cues, part in cases]
        covered = [(is_in * part).sum() / part.sum() for is_in, part in shown]
        spilled = [(is_in * (1 - part)).sum() / (1 - part).sum() for is_in, part in shown]
        print(f"{name}: {np.mean(covered):.1%} of a thing, {np.mean(spilled):.1%} of the rest")


if __name__ == "__main__":
    main()
