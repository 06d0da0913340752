"""ICC profiles in 16 bits, where Pillow's color management has 8 (ICC.1:2022)."""

import struct

import numpy as np

from tintype.color import linear_to_srgb
from tintype.formats import pixels

_ROWS = 64  # at a time
_FLAGS = 0x2100  # of Little CMS: black point compensation, and no tables, which are coarse
_STEPS = 65536
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}  # of parametric curves, by their kind


def map_tones(
    deep: np.ndarray, profile: bytes | None, before: np.ndarray, after: np.ndarray
) -> np.ndarray | None:
    """Luma of 16 bits in sRGB, by the tone curve of a profile; None where that is not all it does.

    deep: (H, W) uint16 in the profile; before, after: the same in 8 bits, in it and in sRGB
    """
    try:
        linear = _read_curve(profile or b"")
    except (struct.error, KeyError, IndexError, ValueError, OverflowError):
        return None
    table = np.rint(np.clip(linear_to_srgb(np.clip(linear, 0, 1)), 0, 1) * 65535).astype(np.uint16)
    step = max(1, max(before.shape) // 256)
    few = table[before[::step, ::step].astype(int) * 257] / 257
    return table[deep] if np.abs(few - after[::step, ::step]).max() <= 2 else None


def read_luma(deep: np.ndarray, profile: bytes) -> np.ndarray | None:
    """(H, W) uint16 Rec. 601 luma in sRGB of RGB (H, W, 3) uint16 in a profile's colors.

    None without a profile that is understood, or without the extra [archival].
    """
    try:
        import imagecodecs

        srgb = imagecodecs.cms_profile("srgb")
        luma = np.empty(deep.shape[:2], np.uint16)
        for top in range(0, len(deep), _ROWS):
            rows = np.ascontiguousarray(deep[top : top + _ROWS])
            shown = imagecodecs.cms_transform(
                rows, profile, srgb, colorspace="rgb", outcolorspace="rgb", intent=1, flags=_FLAGS
            )
            luma[top : top + _ROWS] = pixels.read_luma(shown)
    except (ImportError, RuntimeError, TypeError, ValueError):
        return None
    return luma


def _read_curve(profile: bytes) -> np.ndarray:
    """Linear light of `_STEPS` even steps of tone, 0..1. Raises KeyError without a curve."""
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for number in range(min(count, 100)):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        tags[name] = profile[start : start + size]
    curve = tags[b"kTRC"] if b"kTRC" in tags else tags[b"rTRC"]
    tones = np.arange(_STEPS) / (_STEPS - 1)
    if curve[:4] == b"curv":
        (length,) = struct.unpack_from(">I", curve, 8)
        if length == 0:
            return tones
        values = np.array(struct.unpack_from(f">{length}H", curve, 12))
        if length == 1:
            return np.asarray(tones ** (values[0] / 256))
        return np.interp(tones, np.linspace(0, 1, length), values / 65535)
    if curve[:4] != b"para":
        raise KeyError(curve[:4])
    (kind,) = struct.unpack_from(">H", curve, 8)
    found = struct.unpack_from(f">{_PARAMETERS[kind]}i", curve, 12)
    g, a, b, c, d, e, f = [*(value / 65536 for value in found), *[0.0] * 7][:7]
    if kind == 0:
        return np.asarray(tones**g)
    power = np.maximum(a * tones + b, 0) ** g
    if kind in (1, 2):
        return np.asarray(np.where(tones >= -b / a, power + c, c))
    return np.asarray(np.where(tones >= d, power + e, c * tones + f))
