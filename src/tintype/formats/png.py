"""What a PNG says about its colors beside an ICC profile: cICP, sRGB and gAMA (PNG 3rd edition)."""

import struct
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

import numpy as np
from PIL import Image

from tintype.color import linear_to_srgb, srgb_to_linear
from tintype.formats import pillow
from tintype.formats.pillow import Loaded
from tintype.formats.pixels import scale

Matrix = tuple[tuple[float, float, float], ...]
_MOST_CHUNKS = 10_000  # that are looked at
_VIEWERS = 2.2  # the exponent of displays, as libpng has it
_WHITE = 203  # cd/m2 (ITU-R BT.2408)
# From linear light of ITU-R BT.2020, and of P3 with D65, to that of sRGB (ITU-R BT.2087).
_TO_SRGB = {
    9: ((1.660491, -0.587641, -0.07285), (-0.12455, 1.1329, -0.008349),
        (-0.018151, -0.100579, 1.11873)),
    12: ((1.22494, -0.22494, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}  # fmt: skip
_GRAY = 0  # of the kinds of color
_ROWS = 64  # at a time
_LINEAR, _SRGB, _PQ, _HLG = 8, 13, 16, 18


def read_deep(found: Loaded, stream: BinaryIO) -> None:
    """Read colors of 16 bits, of which Pillow gives 8, where the extra [archival] is installed."""
    stream.seek(0)
    head = stream.read(26)
    found.bits = head[24]
    animated = isinstance(found.image, pillow.ANIMATIONS) and found.image.is_animated
    if found.bits != 16 or head[25] == _GRAY or animated:
        return
    stream.seek(0)
    try:
        import imagecodecs

        values = imagecodecs.png_decode(stream.read())
    except (ImportError, RuntimeError, ValueError):  # libpng is stricter than Pillow
        return
    channels = values.shape[2]
    found.deep = values[..., 0] if channels < 3 else values[..., :3]
    if channels in (2, 4):
        found.deep_alpha = values[..., -1]
        if found.image.info.pop("transparency", None):  # one color of 16 bits, not told by 8
            found.image.putalpha(Image.fromarray(scale(found.deep_alpha, 65535, np.uint8)))


def show_as_srgb(found: Loaded, stream: BinaryIO) -> None:
    """Turn the image to sRGB, where a chunk says that it is not.

    cICP goes before ICC, sRGB before gAMA. What is brighter than white in PQ and HLG becomes white.
    """
    info = found.image.info
    codes = _read_cicp(stream)
    matrix = None
    if codes is not None:
        info.pop("icc_profile", None)
        matrix = _TO_SRGB.get(codes[0])
        curve = partial(_decode, transfer=codes[1])
    else:
        exponent = 1 / (_VIEWERS * float(info.get("gamma") or 1 / _VIEWERS))
        known = "icc_profile" in info or "srgb" in info
        if known or abs(exponent - 1) < 0.05 or not 0.05 < exponent < 20:  # 5 %: as libpng
            return
        curve = partial(_bend, exponent=exponent)
    found.image = _map(found.image, curve, matrix)
    if found.deep is not None:
        found.deep = _map_deep(found.deep, curve, matrix)


def _bend(values: np.ndarray, exponent: float) -> np.ndarray:
    """Linear light of values 0..1 that are shown by a display of a plain exponent."""
    return np.asarray(srgb_to_linear(values**exponent))


def _read_cicp(stream: BinaryIO) -> bytes | None:
    """The four codes of a cICP chunk (ITU-T H.273); None without one."""
    stream.seek(8)
    for _ in range(_MOST_CHUNKS):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IDAT":
            return None
        (length,) = struct.unpack(">I", head[:4])
        if head[4:] == b"cICP" and length == 4:
            return stream.read(4)
        stream.seek(length + 4, 1)
    return None


def _decode(values: np.ndarray, transfer: int) -> np.ndarray:
    """Linear light, 1 for white, of coded values 0..1; as of sRGB where the code is not known."""
    if transfer == _LINEAR:
        return values
    if transfer in (4, 5):
        return np.asarray(values ** {4: 2.2, 5: 2.8}[transfer])
    if transfer == _PQ:  # SMPTE ST 2084
        root = values ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        return np.asarray(10_000 / _WHITE * ratio ** (1 / 0.1593017578125))
    if transfer == _HLG:  # ITU-R BT.2100, on a display of 1000 cd/m2
        scene = np.where(
            values <= 0.5,
            values**2 / 3,
            (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12,
        )
        return np.asarray(1000 / _WHITE * scene**1.2)
    return np.asarray(srgb_to_linear(values))


def _map(
    image: Image.Image,
    curve: Callable[[np.ndarray], np.ndarray],
    matrix: Matrix | None,
) -> Image.Image:
    """An image in sRGB. curve: to linear light; matrix: that of RGB to sRGB's."""
    if image.mode in ("I;16", "I"):
        mapped = Image.fromarray(_map_deep(np.asarray(image), curve, None))
        if isinstance(key := image.info.get("transparency"), int):
            mapped.info["transparency"] = int(_map_deep(np.array([key]), curve, None)[0])
        return mapped
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("1", "L", "LA") else "RGBA")
        alpha = image.getchannel("A")
    plain = image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")
    linear = curve(np.arange(256) / 255)
    if matrix is None or plain.mode == "L":
        mapped = plain.point(_encode(linear, 255).astype(int).tolist() * len(plain.getbands()))
    else:
        colors = linear.astype(np.float32)[np.asarray(plain)] @ np.array(matrix, np.float32).T
        mapped = Image.fromarray(_encode(colors, 255).astype(np.uint8))
    if alpha is not None:
        mapped.putalpha(alpha)
    return mapped


def _map_deep(
    deep: np.ndarray, curve: Callable[[np.ndarray], np.ndarray], matrix: Matrix | None
) -> np.ndarray:
    """Gray or RGB of 16 bits in sRGB, as `_map` does it."""
    linear = curve(np.arange(65536) / 65535)
    if matrix is None or deep.ndim != 3:
        return np.asarray(_encode(linear, 65535).astype(np.uint16)[deep])
    mapped, linear = np.empty_like(deep), linear.astype(np.float32)
    for top in range(0, len(deep), _ROWS):
        colors = linear[deep[top : top + _ROWS]] @ np.array(matrix, np.float32).T
        mapped[top : top + _ROWS] = _encode(colors, 65535)
    return mapped


def _encode(linear: np.ndarray, white: int) -> np.ndarray:
    """Whole numbers, still as floats, of linear light; what is out of gamut is clipped."""
    return np.asarray(np.rint(linear_to_srgb(np.clip(linear, 0, 1)) * white))
