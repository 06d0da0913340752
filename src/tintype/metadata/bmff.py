"""The EXIF block of an AVIF or HEIC file as its bytes, which Pillow writes anew as it reads them.

Boxes and items as in ISO/IEC 14496-12, sections 8.11.3 (iloc) and 8.11.6 (iinf).
"""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

_MAX_META = 1 << 20  # of the box that lists the items
_MAX_EXIF = 16 << 20
_MOST_BOXES = 64


def find_exif(stream: BinaryIO) -> bytes | None:
    """The block, from its TIFF header on; None where there is none, or its place is not plain."""
    try:
        return _find(stream)
    except (struct.error, OSError, OverflowError, ValueError, StopIteration):
        return None


def _find(stream: BinaryIO) -> bytes | None:
    stream.seek(0, io.SEEK_END)
    place = next(
        ((at, size) for kind, at, size in list_boxes(stream, 0, stream.tell()) if kind == b"meta"),
        None,
    )
    if place is None or place[1] > _MAX_META:
        return None
    stream.seek(place[0])
    meta = io.BytesIO(stream.read(place[1]))
    boxes = {kind: (at, size) for kind, at, size in list_boxes(meta, 4, place[1])}
    number = _exif_item(meta, *boxes[b"iinf"]) if b"iinf" in boxes else None
    if number is None or b"iloc" not in boxes:
        return None
    meta.seek(boxes[b"iloc"][0])
    offset, size, inside = _extent(meta, number)
    if inside:
        offset += boxes[b"idat"][0] if b"idat" in boxes else 1 << 62
    if not 8 < size <= _MAX_EXIF:
        return None
    source = meta if inside else stream
    source.seek(offset)
    data = source.read(size)
    block = data[4 + struct.unpack(">I", data[:4])[0] :]
    return block if len(data) == size and block[:2] in (b"II", b"MM") else None


def list_boxes(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and size of the content of each box in a range."""
    for _ in range(_MOST_BOXES):
        stream.seek(start)
        head = stream.read(8)
        if len(head) < 8 or start >= end:
            return
        size, kind, length = struct.unpack(">I", head[:4])[0], head[4:], 8
        if size == 1:
            size, length = struct.unpack(">Q", stream.read(8))[0], 16
        size = size or end - start
        if size < length:
            return
        yield kind, start + length, size - length
        start += size


def _exif_item(meta: BinaryIO, start: int, size: int) -> int | None:
    """The number of the item that is EXIF."""
    meta.seek(start)
    wide = meta.read(4)[0] > 0
    meta.read(4 if wide else 2)
    for kind, at, _ in list_boxes(meta, meta.tell(), start + size):
        if kind == b"infe":
            meta.seek(at)
            version = meta.read(4)[0]
            form = {2: ">HH4s", 3: ">IH4s"}.get(version)
            if form is not None:
                number, _, what = struct.unpack(form, meta.read(struct.calcsize(form)))
                if what == b"Exif":
                    return int(number)
    return None


def _extent(meta: BinaryIO, wanted: int) -> tuple[int, int, bool]:
    """Offset and length of an item in one piece, and whether it lies in the list's own box."""

    def integer(size: int) -> int:
        data = meta.read(size)
        if len(data) < size:
            raise ValueError
        return int.from_bytes(data, "big")

    version = integer(4) >> 24
    sizes = integer(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    number_size = 4 if version == 2 else 2
    for _ in range(integer(number_size)):
        number = integer(number_size)
        method = integer(2) & 15 if version else 0
        integer(2)
        base, pieces = integer(base_size), integer(2)
        extents = []
        for _ in range(pieces):
            integer(index_size)
            extents.append((base + integer(offset_size), integer(length_size)))
        if number == wanted and len(extents) == 1 and method < 2:
            return *extents[0], method == 1
    raise ValueError
