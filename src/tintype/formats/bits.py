"""How many bits a sample has where Pillow gives colors in 8, and colors in all of them."""

import re
from typing import BinaryIO

import numpy as np
from PIL import Image

from tintype.errors import PhotoError
from tintype.formats.pillow import Loaded
from tintype.formats.pixels import scale

_HEAD = 1 << 16  # bytes in which a file says it
_GAP = rb"(?:\s|#[^\n]*\n)+"
_PNM = re.compile(rb"P([36])" + 3 * (_GAP + rb"(\d+)") + rb"\s")
_SAME = 0.5  # of the values: white that Pillow gets wrong can be much of a page
_SIZ = b"\xff\x4f\xff\x51"  # what a codestream of JPEG 2000 begins with (ISO/IEC 15444-1, A.5.1)
_AV1 = b"av1C"  # the box of AV1's configuration (AV1-ISOBMFF, section 2.3.3)


def find_bits(found: Loaded, stream: BinaryIO) -> None:
    """Note the bits of a sample, and read colors of PNM, JPEG 2000 and JPEG XL in all of them.

    Broken files were refused by Pillow already; where they are odd, the bits stay 8. Raises
    PhotoError for JPEG 2000 that cannot be read so: Pillow turns its white to black.
    """
    stream.seek(0)
    head = stream.read(_HEAD)
    if found.format in ("HEIF", "JXL"):
        found.bits = int(found.image.info.get("bit_depth", 8))
    elif found.format == "AVIF" and 0 < (at := head.find(_AV1)) < len(head) - 7:
        flags = head[at + 6]
        found.bits = 8 + 2 * (flags >> 6 & 1) + 2 * (flags >> 5 & 1)
    elif found.format == "JPEG2000" and 0 <= (at := head.find(_SIZ)) < len(head) - 42:
        found.bits = 1 + (head[at + 42] & 0x7F)
    elif found.format == "PPM" and (match := _PNM.match(head)):
        kind, width, height, white = map(int, match.groups())
        found.bits = white.bit_length()
        if kind == 6 and found.bits > 8:
            stream.seek(match.end())
            values = np.frombuffer(stream.read(6 * width * height), ">u2")
            found.deep = scale(values.astype(np.uint16), white, np.uint16).reshape(height, width, 3)
    colors = found.bits > 8 and found.image.mode in ("LA", "RGB", "RGBA")
    if colors and found.format in ("JPEG2000", "JXL"):
        stream.seek(0)
        if not _read_colors(found, stream.read()) and found.format == "JPEG2000":
            raise PhotoError(
                f"expected a JPEG 2000 of 8 bits, found colors of {found.bits}; pip install "
                "'tintype[archival]' to read it, or convert it to TIFF"
            )


def _read_colors(found: Loaded, content: bytes) -> bool:
    """Read colors in 16 bits, and those of 8 again; False where they are not those of Pillow."""
    try:
        import imagecodecs

        decode = imagecodecs.jpegxl_decode if found.format == "JXL" else imagecodecs.jpeg2k_decode
        values = decode(content)
    except (ImportError, RuntimeError, ValueError):
        return False
    white = 1.0 if values.dtype.kind == "f" else 2.0**found.bits - 1
    deep, before = scale(values, white, np.uint16), np.asarray(found.image)
    plain = scale(deep, 65535, np.uint8)
    if plain.shape != before.shape:
        return False
    few = (slice(None, None, max(1, max(before.shape) // 256)),) * 2
    same = np.abs(plain[few].astype(int) - before[few]) <= 2
    if same.mean() < _SAME:
        return False
    info, found.image = found.image.info, Image.fromarray(plain)
    found.image.info = info
    found.deep = deep[..., 0] if deep.shape[2] == 2 else deep[..., :3]
    found.deep_alpha = deep[..., -1] if deep.shape[2] in (2, 4) else None
    return True
