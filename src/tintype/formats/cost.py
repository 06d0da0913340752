"""Whether a file costs no more to decode than a photo of its size does, by a look at its parts.

What is honest and unusual may be called costly: it is then read with more care, to the same pixels.
"""

import struct

import numpy as np

_SCANS = 24  # of a JPEG; a progressive one has 10
_SEGMENTS = 2000  # of a JPEG besides its restarts, and what looks like them in EXIF and ICC
_CHUNKS = 20_000  # of a PNG; one of 12 megapixels and 16 bits has up to 9,000
_METADATA = 4 << 20  # bytes of what is no pixel
_DIRECTORIES, _TAGS = 4, 100  # of a TIFF
_TILE = 64 << 20  # bytes of a TIFF's tile
_PACKED = {1, 5, 8, 32773, 32946}  # TIFF: no compression, LZW, deflate, PackBits
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_PLACES = {273, 279, 324, 325}  # TIFF: where strips and tiles lie, and how long they are
_SUB_IFDS = 330


def is_ordinary(content: bytes) -> bool:
    """Whether a JPEG, PNG, TIFF or WebP is built as photos are; other formats are not judged."""
    try:
        if content[:3] == b"\xff\xd8\xff":
            return _is_ordinary_jpeg(content)
        if content[:8] == b"\x89PNG\r\n\x1a\n":
            return _is_ordinary_png(content)
        if content[:4] in (b"II*\0", b"MM\0*"):
            return _is_ordinary_tiff(content)
        return content[:4] == b"RIFF" and content[8:12] == b"WEBP" and b"ANIM" not in content[:64]
    except (struct.error, KeyError):  # cut short, or of a kind that is not known
        return False


def _is_ordinary_jpeg(content: bytes) -> bool:
    """ITU-T T.81, table B.1: a marker is FF and neither 00 nor a restart, D0 to D7, nor FF."""
    values = np.frombuffer(content, np.uint8)
    kinds = values[1:][values[:-1] == 0xFF]
    counts = np.bincount(kinds, minlength=256)
    segments = counts[1:0xD0].sum() + counts[0xD8:0xFF].sum()
    return bool(counts[0xDA] <= _SCANS and segments <= _SEGMENTS)


def _is_ordinary_png(content: bytes) -> bool:
    """Few chunks, and little in those that hold no pixels."""
    at, others = 8, 0
    for _ in range(_CHUNKS):
        length, kind = struct.unpack_from(">I4s", content, at)
        at += 12 + length
        if kind == b"IEND" or at >= len(content):
            return others <= _METADATA
        others += 0 if kind == b"IDAT" else length
    return False


def _is_ordinary_tiff(content: bytes) -> bool:
    """TIFF 6.0, section 2: few directories, whose tags are short and whose tiles are small."""
    order = "<" if content[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", content, 4)
    for _ in range(_DIRECTORIES):
        (count,) = struct.unpack_from(order + "H", content, at)
        if count > _TAGS:
            return False
        values = {}
        for tag in range(count):
            number, kind, size, _ = struct.unpack_from(order + "HHII", content, at + 2 + 12 * tag)
            short = kind == 3 and size == 1
            place = at + 2 + 12 * tag + 8
            (values[number],) = struct.unpack_from(order + ("H" if short else "I"), content, place)
            bytes_ = _SIZES[kind] * size
            if number == _SUB_IFDS or bytes_ > (4 * _METADATA if number in _PLACES else _METADATA):
                return False
        tile = values.get(322, 0) * values.get(323, 0) * 8  # at most 64 bits a sample
        if values.get(259, 1) not in _PACKED or tile * values.get(277, 1) > _TILE:
            return False
        (at,) = struct.unpack_from(order + "I", content, at + 2 + 12 * count)
        if at == 0:
            return True
    return False
