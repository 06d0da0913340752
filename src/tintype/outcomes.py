"""Outcomes: for each color that edits ask for, what came out nearest to it, and how much of it.

    edits ──list_asked──▶ colors asked for ─┐
    small luma and chroma ──────────────────┴─measure_outcomes─▶ what came out of each

Pins are left out, as of `Recipe.reached`: they are exact.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tintype.bins import rgb_of, to_hex
from tintype.color import oklab_to_rgb, rgb_to_oklab, ycbcr_to_rgb
from tintype.edits import Boost, Edit, Recolor, Saturate, ShiftHue, Towards

WIDTH = 30  # degrees of hue on either side, in which a pixel wears a color
PALE = 0.02  # OKLab chroma under which it wears gray
APART = 60  # degrees on either side of what `recolor` takes along


@dataclass(frozen=True)
class Outcome:
    """What came out of a color that was asked for.

    color: as an edit says it; asked: #rrggbb, after the later edits of all hues and chromas
    got: #rrggbb, the mean of what wears it, vivid parts first; None where nothing does
    share: 0..1 of the photo that wears it: of its hue, `WIDTH` degrees to either side, and of no
        nearer color that was asked for
    """

    color: str
    asked: str
    got: str | None
    share: float


def measure_outcomes(edits: Sequence[Edit], luma: np.ndarray, chroma: np.ndarray) -> list[Outcome]:
    """What came out of each color that edits ask for, in their order; nothing of pins.

    luma: (h, w), 0..1; chroma: (2, h, w) Cb and Cr, centered on 0, 0..255 units, as of a `Result`
    Of `recolor` it is each `to` that is not its `from`, of `boost` and `towards` their color.
    Raises PaletteError.
    """
    asked = list_asked(edits)
    if not asked:
        return []
    lab = rgb_to_oklab(ycbcr_to_rgb(np.stack([luma, *chroma / 255], axis=-1))).reshape(-1, 3)
    targets = np.array([_chroma_of(target) for _, target in asked])
    wearing = _assign(lab[:, 1:] @ np.array([1, 1j]), targets)
    outcomes = []
    for number, (color, target) in enumerate(asked):
        worn = lab[wearing == number]
        weight = np.hypot(*worn[:, 1:].T) + 1e-6
        got = to_hex(oklab_to_rgb(weight @ worn / weight.sum())) if len(worn) else None
        outcomes.append(Outcome(color, _show(target), got, len(worn) / len(lab)))
    return outcomes


def list_asked(edits: Sequence[Edit]) -> list[tuple[str, np.ndarray]]:
    """The colors that edits ask for, as they say them, each with its OKLab (3,), none twice.

    Those are turned and saturated by later edits of all colors; what a later `recolor` changes is
    not asked for any more. Raises PaletteError.
    """
    asked: list[tuple[str, np.ndarray]] = []
    for edit in edits:
        if isinstance(edit, ShiftHue):
            turn = np.exp(1j * math.radians(edit.degrees))
            asked = [(color, _scale(lab, turn)) for color, lab in asked]
        elif isinstance(edit, Saturate):
            asked = [(color, _scale(lab, edit.factor)) for color, lab in asked]
        elif isinstance(edit, Recolor):
            moves = [(c["from"], c["to"]) for c in edit.changes if c["scale"] > 0]
            moves = [move for move in moves if rgb_of(move[0]) != rgb_of(move[1])]
            sources = np.array([_chroma_of(_lab_of(source)) for source, _ in moves])
            asked = [one for one in asked if not _is_alike(_chroma_of(one[1]), sources)]
            asked += [(to, _lab_of(to)) for _, to in moves]
        elif isinstance(edit, Boost | Towards) and (
            edit.share if isinstance(edit, Boost) else edit.amount
        ):
            asked.append((edit.color, _lab_of(edit.color)))
    unique: dict[str, tuple[str, np.ndarray]] = {}
    for color, lab in asked:
        unique.setdefault(_show(lab), (color, lab))
    return list(unique.values())


def _assign(ab: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Which target (n,), -1 for none, each color wears; all complex OKLab chroma (n,), (k,)."""
    pale, gray = np.abs(ab) < PALE, np.abs(targets) < PALE
    turned = (ab[:, None] * targets.conj()).real
    near = math.cos(math.radians(WIDTH)) * np.abs(ab[:, None] * targets)
    alike = np.where(gray, pale[:, None], ~pale[:, None] & (turned >= near))
    gap = np.where(alike, np.abs(ab[:, None] - targets), np.inf)
    return np.where(alike.any(1), gap.argmin(1), -1)


def _is_alike(ab: complex, sources: np.ndarray) -> bool:
    """Whether `recolor` takes a color along from one of its sources (n,)."""
    if abs(ab) < PALE:
        return bool((np.abs(sources) < PALE).any())
    turned = (ab * sources.conj()).real
    return bool((turned > math.cos(math.radians(APART)) * abs(ab) * np.abs(sources)).any())


def _lab_of(color: str) -> np.ndarray:
    return np.asarray(rgb_to_oklab(np.array(rgb_of(color)) / 255))


def _chroma_of(lab: np.ndarray) -> complex:
    return complex(lab[1], lab[2])


def _scale(lab: np.ndarray, factor: complex) -> np.ndarray:
    """An OKLab color (3,) whose chroma is turned and scaled."""
    ab = _chroma_of(lab) * factor
    return np.array([lab[0], ab.real, ab.imag])


def _show(lab: np.ndarray) -> str:
    return to_hex(oklab_to_rgb(lab))
