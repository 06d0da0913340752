"""The clean aperture of AVIF: the part of the coded picture that is shown (ISO/IEC 23000-22)."""

import io
import struct
from typing import BinaryIO

from tintype.metadata.bmff import list_boxes

_LARGEST = 1 << 24  # bytes of a box of metadata that are looked at

Box = tuple[int, int, int, int]  # left, top, right, bottom


def read_clean_aperture(stream: BinaryIO, size: tuple[int, int]) -> Box | None:
    """What to crop the primary picture to, before it is turned; None for all of it.

    size: of the coded picture. Raises struct.error and IndexError for broken boxes.
    """
    stream.seek(0)
    meta = next((body for kind, body in _split(stream.read(_LARGEST)) if kind == b"meta"), None)
    if meta is None:
        return None
    boxes = dict(_split(meta[4:]))
    primary = _number(boxes[b"pitm"], 4, 4 if boxes[b"pitm"][0] else 2)
    parts = dict(_split(boxes[b"iprp"]))
    properties = _split(parts[b"ipco"])
    for index in _list_properties(parts[b"ipma"], primary):
        if 0 < index <= len(properties) and properties[index - 1][0] == b"clap":
            return _crop(properties[index - 1][1], size)
    return None


def _split(data: bytes) -> list[tuple[bytes, bytes]]:
    """The boxes in a box: their kinds and contents."""
    boxes = list_boxes(io.BytesIO(data), 0, len(data))
    return [(kind, data[start : start + size]) for kind, start, size in boxes]


def _list_properties(ipma: bytes, item: int) -> list[int]:
    """The numbers, from 1, of an item's properties, in their order."""
    wide_item, wide_index = ipma[0] > 0, ipma[3] & 1
    at, name, step = 8, 4 if wide_item else 2, 2 if wide_index else 1
    for _ in range(_number(ipma, 4, 4)):
        count = ipma[at + name]
        start = at + name + 1
        if _number(ipma, at, name) == item:
            mask = 0x7FFF if wide_index else 0x7F
            return [_number(ipma, start + step * i, step) & mask for i in range(count)]
        at = start + step * count
    return []


def _crop(clap: bytes, size: tuple[int, int]) -> Box | None:
    """The box of a clean aperture: its size and its middle's distance from the picture's."""
    wide, wide_of, high, high_of = struct.unpack(">4I", clap[:16])
    across, across_of, down, down_of = struct.unpack(">iIiI", clap[16:32])
    if not (wide_of and high_of and across_of and down_of):
        return None
    width, height = round(wide / wide_of), round(high / high_of)
    left = round(across / across_of + (size[0] - wide / wide_of) / 2)
    top = round(down / down_of + (size[1] - high / high_of) / 2)
    box = (left, top, left + width, top + height)
    inside = 0 <= left < box[2] <= size[0] and 0 <= top < box[3] <= size[1]
    return box if inside else None


def _number(data: bytes, start: int, length: int) -> int:
    if start + length > len(data):
        raise IndexError("a box ends early")
    return int.from_bytes(data[start : start + length], "big")
