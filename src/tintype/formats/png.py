"""What a PNG says about its colors beside an ICC profile: cICP, sRGB and gAMA (PNG 3rd edition)."""

import struct
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
from PIL import Image

from tintype.color import linear_to_srgb, srgb_to_linear

_MOST_CHUNKS = 10_000  # that are looked at
_VIEWERS = 2.2  # the exponent of displays, as libpng has it
_WHITE = 203  # cd/m2 (ITU-R BT.2408)
# From linear light of ITU-R BT.2020, and of P3 with D65, to that of sRGB (ITU-R BT.2087).
_TO_SRGB = {
    9: ((1.660491, -0.587641, -0.07285), (-0.12455, 1.1329, -0.008349),
        (-0.018151, -0.100579, 1.11873)),
    12: ((1.22494, -0.22494, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}  # fmt: skip
_LINEAR, _SRGB, _PQ, _HLG = 8, 13, 16, 18


def show_as_srgb(image: Image.Image, stream: BinaryIO) -> Image.Image:
    """The image in sRGB, where a chunk says that it is not; cICP goes before ICC, sRGB before gAMA.

    What is brighter than white in PQ and HLG becomes white.
    """
    codes = _read_cicp(stream)
    if codes is not None:
        image.info.pop("icc_profile", None)
        primaries, transfer = codes[:2]
        return _map(image, lambda values: _decode(values, transfer), _TO_SRGB.get(primaries))
    exponent = 1 / (_VIEWERS * float(image.info.get("gamma") or 1 / _VIEWERS))
    known = "icc_profile" in image.info or "srgb" in image.info
    if known or abs(exponent - 1) < 0.05 or not 0.05 < exponent < 20:  # 5 %: as libpng
        return image
    return _map(image, lambda values: srgb_to_linear(values**exponent), None)


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
    matrix: tuple[tuple[float, float, float], ...] | None,
) -> Image.Image:
    """An image in sRGB. curve: to linear light; matrix: that of RGB to sRGB's."""
    if image.mode in ("I;16", "I"):
        deep = _encode(curve(np.arange(65536) / 65535), 65535).astype(np.uint16)
        mapped = Image.fromarray(deep[np.asarray(image)])
        if isinstance(key := image.info.get("transparency"), int):
            mapped.info["transparency"] = int(deep[key])
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


def _encode(linear: np.ndarray, white: int) -> np.ndarray:
    """Whole numbers, still as floats, of linear light; what is out of gamut is clipped."""
    return np.asarray(np.rint(linear_to_srgb(np.clip(linear, 0, 1)) * white))
