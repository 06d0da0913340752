"""What palettes and their edits are told in JSON: shares, colors, tones, changes of colors."""

from typing import Any

import numpy as np

from tintype.bins import Bins, chroma_of, has_hue
from tintype.errors import PaletteError

MOST = 1000  # entries in a list of colors that comes from outside


def read_changes(changes: Any, bins: Bins) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n,) complex chroma to go from, and to go to, 0 for gray, and (n,) scales."""
    if not isinstance(changes, list) or not 0 < len(changes) <= MOST:
        raise PaletteError(f"expected 1 to {MOST} changes of colors, found {changes!r:.80}")
    rows = []
    for change in changes:
        if not isinstance(change, dict) or set(change) != {"from", "to", "scale"}:
            raise PaletteError(
                f'expected {{"from", "to", "scale"}} of a color, found {change!r:.80}'
            )
        scale = read_share(change["scale"], "scale")
        if scale > 100:
            raise PaletteError(f"expected a scale of 0 to 100, found {scale:g}")
        ends = [change["from"], change["to"]]
        chroma = [chroma_of(c, bins) @ (1, 1j) if has_hue(c, bins) else 0j for c in ends]
        rows.append((*chroma, scale))
    sources, targets, scales = np.array(rows).T
    return sources, targets, scales.real


def read_colors(about: dict[str, Any], bins: Bins) -> np.ndarray:
    """(count,) shares, which may be all 0, of a list of colors and what is neutral."""
    neutral, chroma, part = read_share(about.get("neutral", 0.0), "neutral"), [], []
    for entry in read_list(about, "colors"):
        if not isinstance(entry, dict) or not isinstance(entry.get("color"), str):
            raise PaletteError('expected {"color": "#rrggbb", "share": number}, found others')
        chroma.append(chroma_of(entry["color"], bins))
        part.append(read_share(entry.get("share"), entry["color"].strip()))
    index, weight = bins.encode(np.reshape(chroma, (-1, 2)))
    counted = np.bincount(index.ravel(), (weight.T * part).T.ravel(), bins.count)
    shares = np.asarray(counted, np.float64)  # NumPy counts nothing in whole numbers
    shares[0] += neutral
    return shares


def read_tones(about: dict[str, Any], bins: Bins, tones: tuple[str, ...]) -> np.ndarray | None:
    """(3, count) shares of tones, all 0 of one that is not named; None where none are told."""
    if "tones" not in about:
        return None
    named = about["tones"]
    parts = [named.get(name, {}) for name in tones] if isinstance(named, dict) else [named]
    if not all(isinstance(part, dict) for part in parts):
        known = ", ".join(f'"{name}"' for name in tones)
        raise PaletteError(f'expected an object of {known} for "tones", found {named!r:.80}')
    return np.stack([read_colors(part, bins) for part in parts])


def read_share(value: Any, name: str) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value <= 1e9:  # so that no sum of shares overflows
        raise PaletteError(f"expected a share of 0 to 1e9 for {name}, found {value!r:.80}")
    return float(value)


def read_list(about: dict[str, Any], name: str) -> list[Any]:
    value = about.get(name, [])
    if not isinstance(value, list) or len(value) > MOST:
        raise PaletteError(f'expected a list of up to {MOST} for "{name}", found {value!r:.80}')
    return value
