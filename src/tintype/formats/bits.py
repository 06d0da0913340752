"""How many bits a sample has in formats whose colors Pillow gives in 8, and all of them of PNM."""

import re
from typing import BinaryIO

import numpy as np

from tintype.formats.pillow import Loaded
from tintype.formats.pixels import scale

_HEAD = 1 << 16  # bytes in which a file says it
_GAP = rb"(?:\s|#[^\n]*\n)+"
_PNM = re.compile(rb"P([36])" + 3 * (_GAP + rb"(\d+)") + rb"\s")
_SIZ = b"\xff\x4f\xff\x51"  # what a codestream of JPEG 2000 begins with (ISO/IEC 15444-1, A.5.1)
_AV1 = b"av1C"  # the box of AV1's configuration (AV1-ISOBMFF, section 2.3.3)


def find_bits(found: Loaded, stream: BinaryIO) -> None:
    """Note the bits of a sample, and read PNM's colors in all of them.

    Broken files were refused by Pillow already; where they are odd, the bits stay 8.
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
