"""How much a TIFF's directories ask for, before a library reads all their values.

Directories may overlap, and tags may all claim the same megabytes: a small file can ask for hours.
"""

import struct
from typing import BinaryIO

from tintype.errors import PhotoError

MOST_DIRECTORIES = 1000  # that are looked at
_MOST_TAGS = 50_000  # of all of them together: some 2 s
_MOST_TIMES = 3  # that values may be as long as the file
_FREE = 1 << 20  # bytes of values that any file may have
_MOST_CHILDREN = 64  # of one directory
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
          16: 8, 17: 8, 18: 8}  # fmt: skip
_SUB_IFDS = 330


def check_directories(stream: BinaryIO) -> None:
    """Raise PhotoError where directories ask for more than a photo's would.

    What is broken otherwise is left to who reads it.
    """
    stream.seek(0, 2)
    length = stream.tell()
    stream.seek(0)
    head = stream.read(16)
    if len(head) < 16:
        return
    order, big = (">" if head[:2] == b"MM" else "<"), 43 in head[2:4]
    place, at = ("Q", 8) if big else ("I", 4)
    offsets = list(struct.unpack_from(order + place, head, at))
    seen, tags, values = set[int](), 0, 0
    while offsets and len(seen) < MOST_DIRECTORIES:
        offset = offsets.pop()
        if offset in seen or not 0 < offset < length:
            continue
        seen.add(offset)
        count, size, others = _measure(stream, offset, order, big)
        tags, values = tags + count, values + size
        offsets += others
        if tags > _MOST_TAGS or values > _MOST_TIMES * length + _FREE:
            raise PhotoError(
                "expected a TIFF's usual directories, found ones that claim each other's bytes; "
                "save it anew by another program"
            )


def _measure(stream: BinaryIO, offset: int, order: str, big: bool) -> tuple[int, int, list[int]]:
    """How many tags a directory has, how many bytes of values, and where it leads to."""
    stream.seek(offset)
    form, entry, place = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    data = stream.read(struct.calcsize("=" + form))
    if len(data) < struct.calcsize("=" + form):
        return 0, 0, []
    (count,) = struct.unpack(order + form, data)
    step = struct.calcsize("=" + entry)
    body = stream.read(min(count, _MOST_TAGS + 1) * step)
    following = stream.read(struct.calcsize("=" + place))
    whole = len(following) == struct.calcsize("=" + place)
    others = list(struct.unpack(order + place, following)) if whole else []
    values = 0
    body = body[: len(body) // step * step]
    for tag, kind, number, where in struct.iter_unpack(order + entry, body):
        size = _SIZES.get(kind, 0) * number
        values += size
        if tag == _SUB_IFDS:
            others += _read_offsets(stream, where, min(number, _MOST_CHILDREN), size, order, place)
    return count, values, others


def _read_offsets(
    stream: BinaryIO, where: int, number: int, size: int, order: str, place: str
) -> list[int]:
    """The offsets that a tag holds, itself or elsewhere."""
    width = struct.calcsize("=" + place)
    if size <= width:
        return [where]
    stream.seek(where)
    data = stream.read(number * width)
    data = data[: len(data) // width * width]
    return [value for (value,) in struct.iter_unpack(order + place, data)]
