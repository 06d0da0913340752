"""EXIF as directories of tags, whose values stay the bytes that they are (TIFF 6.0, Exif 3.0).

    blob or TIFF file ──read──▶ Exif ──correct──▶ Exif ──encode──▶ blob for JPEG, PNG, WebP, AVIF
                                                         └─extend──▶ directory of a TIFF file

A tag that cannot be read is left out alone, with a note. The thumbnail's directory is never read.
"""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import ExifTags

MAX_BYTES = 16 << 20  # of all values together
HEADER = b"Exif\0\0"
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}  # what a byte order turns

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
XMP, IPTC, PHOTOSHOP, PROFILE = 700, 33723, 34377, 34675
MAKER_NOTE, USER_COMMENT = 0x927C, 0x9286
DESCRIPTION = 270
_PHOTO, _PLACE, _INTEROP = 0x8769, 0x8825, 0xA005
POINTERS = (_PHOTO, _PLACE, _INTEROP)
_COLOR_SPACE, _WIDTH, _HEIGHT = 0xA001, 0xA002, 0xA003
# Of the main directory, what says how the old file stored its pixels, colors and thumbnails.
STRUCTURE = (
    set(range(254, 260)) | {262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284}
    | set(range(288, 294)) | {301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333}
    | {334, 336, 337, 338, 339, 340, 341, 342, 343, 344, 345, 346, 347, 351, 400, 401, 402, 403}
    | set(range(512, 533)) | {559, 34676, 34016, 37724, 50255, 50784}
    | {_PHOTO, _PLACE, _INTEROP, 33421, 33422, 34310, 37122} | set(range(50706, 51200))
)  # fmt: skip
OWN = {XMP, IPTC, PHOTOSHOP, PROFILE}  # read, but not kept as EXIF
STALE = {0x9102, 0xA500, _INTEROP}  # of the photo's directory: the old compression and gamma
# Maker notes whose offsets count from their own beginning, which may therefore move.
_MOVABLE = (b"Nikon\0\x02", b"Apple iOS\0", b"OLYMPUS\0", b"OM SYSTEM\0", b"FUJIFILM")


_FARTHEST = 1 << 16  # where a maker note that cannot move may lie


@dataclass(frozen=True, slots=True)
class Tag:
    """One entry of a directory: its number, its type and count, and its value as stored."""

    number: int
    kind: int
    count: int
    value: bytes

    @property
    def name(self) -> str:
        """As people know it, "Artist", or its number, "0xc4a5"."""
        return ExifTags.TAGS.get(self.number, f"0x{self.number:04x}")

    def integer(self, order: str) -> int | None:
        """The first value, where it is a whole number of any length."""
        letter = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 7: "B"}.get(self.kind)
        if letter is None or len(self.value) < SIZES[self.kind]:
            return None
        return int(struct.unpack_from(order + letter, self.value)[0])

    def reverse(self) -> "Tag":
        """The same value in the other byte order."""
        size, value = _WORDS.get(self.kind, 1), self.value
        if self.number == USER_COMMENT and value.startswith(b"UNICODE\0") and len(value) % 2 == 0:
            return replace(self, value=value[:8] + _swap(value[8:], 2))
        return self if size == 1 else replace(self, value=_swap(value, size))


@dataclass(frozen=True, slots=True)
class Exif:
    """The directories of an EXIF block.

    order: of the bytes in values, "<" or ">"
    main, photo, place, interop: tags of IFD0, of the Exif, the GPS and the Interoperability IFD
    note_at: the offset of the maker note, whose own offsets often count from the block's beginning
    """

    order: str = "<"
    main: tuple[Tag, ...] = ()
    photo: tuple[Tag, ...] = ()
    place: tuple[Tag, ...] = ()
    interop: tuple[Tag, ...] = ()
    note_at: int | None = None

    def __bool__(self) -> bool:
        return bool(self.main or self.photo or self.place)

    def find(self, number: int) -> Tag | None:
        """A tag of the main directory or of the photo's."""
        return next((tag for tag in (*self.main, *self.photo) if tag.number == number), None)

    def with_main(self, *tags: Tag) -> "Exif":
        """With these tags instead of those of the same numbers in the main directory."""
        return replace(self, main=_replaced(self.main, tags))

    def with_photo(self, *tags: Tag) -> "Exif":
        """With these tags instead of those of the same numbers in the photo's directory."""
        return replace(self, photo=_replaced(self.photo, tags))

    def without(self, *numbers: int) -> "Exif":
        """Without tags of these numbers."""
        main, photo = (
            tuple(tag for tag in tags if tag.number not in numbers)
            for tags in (self.main, self.photo)
        )
        return replace(self, main=main, photo=photo)

    def in_order(self, order: str) -> "Exif":
        """In a byte order; a maker note that knows only its own stays behind."""
        if order == self.order:
            return self
        main, photo, place, interop = (
            tuple(tag.reverse() for tag in tags)
            for tags in (self.main, self.photo, self.place, self.interop)
        )
        return Exif(order, main, photo, place, interop)

    def short(self, number: int, value: int) -> Tag:
        """A tag of one 16-bit number, or of 32 bits where it needs them."""
        kind, letter = (3, "H") if value < 65536 else (4, "I")
        return Tag(number, kind, 1, struct.pack(self.order + letter, value))

    def pointer(self, number: int, offset: int) -> Tag:
        """A tag that says where a directory lies."""
        return Tag(number, 4, 1, struct.pack(self.order + "I", offset))

    def rational(self, number: int, value: float) -> Tag:
        """A tag of one positive fraction, exact to 1/1000."""
        whole = (round(value), 1) if value == round(value) else (round(1000 * value), 1000)
        return Tag(number, 5, 1, struct.pack(self.order + "II", *whole))

    def correct(self, size: tuple[int, int], *, across: bool) -> "Exif":
        """What is true of a new, upright sRGB file of `size`; `across`: sides changed places."""
        exif = replace(self, photo=tuple(tag for tag in self.photo if tag.number not in STALE))
        exif = exif.with_main(
            *(exif.short(t.number, 1) for t in self.main if t.number == ORIENTATION)
        )
        true = {_COLOR_SPACE: 1, _WIDTH: size[0], _HEIGHT: size[1]}
        found = [tag.number for tag in self.photo if tag.number in true]
        exif = exif.with_photo(*(exif.short(number, true[number]) for number in found))
        if across:
            other = {X_RESOLUTION: Y_RESOLUTION, Y_RESOLUTION: X_RESOLUTION}
            main = (replace(tag, number=other.get(tag.number, tag.number)) for tag in exif.main)
            exif = replace(exif, main=tuple(main))
        if any(t.number == 1 and t.value.startswith(b"R03") for t in self.interop):
            exif = replace(exif, interop=())  # it says that the colors are Adobe RGB
        return exif


def read(stream: BinaryIO, notes: list[str], main: int | None = None) -> Exif | None:
    """The EXIF of a stream that is a block of it or a TIFF file; None where it is neither.

    notes: gets a line for each tag that cannot be read
    main: the offset of the directory to read, by default the first
    """
    stream.seek(0)
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return None
    magic = struct.unpack(order + "H", head[2:4])[0]
    if magic == 43 and len(head) == 16:
        start, large = struct.unpack(order + "Q", head[8:])[0], True
    else:  # some cameras write another number than 42
        start, large = struct.unpack(order + "I", head[4:8])[0], False
    reader = _Reader(stream, order, large, notes)
    tags, inner = reader.directory(start if main is None else main), {}
    for number in (_PHOTO, _PLACE):
        pointer = next((tag.integer(order) for tag in tags if tag.number == number), None)
        inner[number] = reader.directory(pointer) if pointer else []
    pointer = next((t.integer(order) for t in inner[_PHOTO] if t.number == _INTEROP), None)
    interop = reader.directory(pointer) if pointer else []
    return Exif(
        order, tuple(tags), tuple(inner[_PHOTO]), tuple(inner[_PLACE]), tuple(interop),
        reader.note_at,
    )  # fmt: skip


def describe(exif: Exif) -> Exif:
    """What describes the photo, without what describes the old file's bytes."""
    drop = STRUCTURE | OWN
    return replace(exif, main=tuple(tag for tag in exif.main if tag.number not in drop))


class _Reader:
    """Directories of a stream, value by value, within a budget of bytes."""

    def __init__(self, stream: BinaryIO, order: str, large: bool, notes: list[str]) -> None:
        self.stream, self.order, self.notes = stream, order, notes
        self.budget = MAX_BYTES
        self.note_at: int | None = None
        self.entry = order + ("HHQ8s" if large else "HHI4s")
        self.count, self.offset = (
            (order + "Q", order + "Q") if large else (order + "H", order + "I")
        )

    def directory(self, start: int, *, structure: bool = False) -> list[Tag]:
        """The tags of the directory at an offset; of those of one number the first.

        structure: also what says how pixels are stored
        """
        head = self._at(start, struct.calcsize(self.count))
        if head is None:
            self.notes.append("EXIF: a directory lies outside the file and was left out")
            return []
        count, size = struct.unpack(self.count, head)[0], struct.calcsize(self.entry)
        self.stream.seek(start + len(head))
        table = self.stream.read(size * min(count, 4096))
        tags: dict[int, Tag] = {}
        for at in range(0, len(table) - size + 1, size):
            number, kind, length, field = struct.unpack_from(self.entry, table, at)
            if structure or number not in STRUCTURE or number in POINTERS:
                tag = self._tag(number, kind, length, field)
                if tag is not None:
                    tags.setdefault(number, tag)
        return list(tags.values())

    def _tag(self, number: int, kind: int, count: int, field: bytes) -> Tag | None:
        tag, size = Tag(number, kind, count, b""), SIZES.get(kind, 0) * count
        if kind not in SIZES:
            self._leave(tag, f"its type is {kind}")
            return None
        if size > self.budget:
            self._leave(tag, f"its {size:,} bytes are too many")
            return None
        value: bytes | None = field[:size]
        if size > len(field):
            at = struct.unpack(self.offset, field)[0]
            value = self._at(at, size)
            if number == MAKER_NOTE:
                self.note_at = at
        if value is None:
            self._leave(tag, "its value lies outside the file")
            return None
        self.budget -= size
        return replace(tag, value=value)

    def _leave(self, tag: Tag, why: str) -> None:
        if len(self.notes) < 16 and (tag.number or tag.kind):  # some writers pad with zeros
            self.notes.append(f"EXIF: {tag.name} was left out: {why}")

    def _at(self, offset: int, size: int) -> bytes | None:
        try:
            self.stream.seek(offset)
        except (OSError, OverflowError, ValueError):
            return None
        found = self.stream.read(size)
        return found if len(found) == size else None


class _Space:
    """Bytes from an offset on, given out one after another around a range that is taken."""

    def __init__(self, start: int, taken: range = range(0)) -> None:
        self.start, self.taken, self.blob = start, taken, bytearray()
        if taken:
            self.blob.extend(bytes(taken.stop - start))
        self.next = start

    def reserve(self, size: int) -> int:
        at = self.next + self.next % 2
        if self.taken and at < self.taken.stop and at + size > self.taken.start:
            at = self.taken.stop + self.taken.stop % 2
        self.next = at + size
        self.blob.extend(bytes(max(0, self.next - self.start - len(self.blob))))
        return at

    def fill(self, at: int, data: bytes) -> None:
        self.blob[at - self.start : at - self.start + len(data)] = data


def settle(exif: Exif, notes: list[str], *, movable: bool, limit: int = MAX_BYTES) -> Exif:
    """What fits into a block of `limit` bytes, with a note for each tag that does not.

    movable: the block lies elsewhere than in the old file, so that offsets in it break
    """
    note = exif.find(MAKER_NOTE)
    if note is not None:
        fixed = exif.note_at is not None and 8 <= exif.note_at <= _FARTHEST and not movable
        if not fixed and len(note.value) > 4:
            exif = replace(exif, note_at=None)
            if not note.value.startswith(_MOVABLE):
                notes.append("EXIF: MakerNote was left out: it cannot be moved to another format")
                exif = exif.without(MAKER_NOTE)
    parts = [exif.main, exif.photo, exif.place, exif.interop]
    tags = sorted((tag for part in parts for tag in part), key=lambda tag: len(tag.value))
    size = 64 + sum(13 + len(tag.value) for tag in tags)
    left: set[int] = set()
    while size > limit:
        tag = tags.pop()
        size -= 13 + len(tag.value)
        left.add(id(tag))
        notes.append(f"EXIF: {tag.name} was left out: {len(tag.value):,} bytes do not fit")
    main, photo, place, interop = (tuple(t for t in part if id(t) not in left) for part in parts)
    exif = Exif(exif.order, main, photo, place, interop, exif.note_at)
    if exif.note_at is not None and exif.note_at + size > limit and len(encode(exif)) > limit:
        notes.append("EXIF: MakerNote was left out: it lies too far behind the other tags")
        exif = exif.without(MAKER_NOTE)
    return exif


def encode(exif: Exif) -> bytes:
    """A block of EXIF, without the header that JPEG has before it; empty where nothing is in it."""
    if not exif:
        return b""
    note, taken = exif.find(MAKER_NOTE), range(0)
    if note is not None and exif.note_at is not None:
        taken = range(exif.note_at, exif.note_at + len(note.value))
    space = _Space(8, taken)
    main = _lay_out(exif, space)
    mark = b"II" if exif.order == "<" else b"MM"
    return mark + struct.pack(exif.order + "HI", 42, main) + bytes(space.blob)


def extend(file: BinaryIO, exif: Exif) -> None:
    """Add tags to the one directory of a TIFF file, which is written anew at its end."""
    file.seek(0)
    mark = file.read(8)
    order = "<" if mark[:2] == b"II" else ">"
    reader = _Reader(file, order, False, [])
    pixels = reader.directory(struct.unpack(order + "I", mark[4:])[0], structure=True)
    exif = exif.in_order(order).with_main(*pixels)
    end = file.seek(0, io.SEEK_END)
    space = _Space(end + end % 2)
    at = _lay_out(exif, space)
    file.write(bytes(end % 2) + bytes(space.blob))
    file.seek(4)
    file.write(struct.pack(order + "I", at))


def _lay_out(exif: Exif, space: _Space) -> int:
    """Put all directories and their values into a space; the offset of the main one."""
    main, photo = list(exif.main), list(exif.photo)
    count = len(main) + bool(exif.photo or exif.interop) + bool(exif.place)
    at = space.reserve(6 + 12 * count)
    if exif.interop:
        photo.append(exif.pointer(_INTEROP, _write(exif, exif.interop, space)))
    if photo:
        main.append(exif.pointer(_PHOTO, _write(exif, photo, space)))
    if exif.place:
        main.append(exif.pointer(_PLACE, _write(exif, exif.place, space)))
    _write(exif, main, space, at)
    return at


def _write(exif: Exif, tags: Iterable[Tag], space: _Space, at: int | None = None) -> int:
    """Put a directory and its values into a space, at `at` or where there is room."""
    tags = sorted(tags, key=lambda tag: tag.number)
    if at is None:
        at = space.reserve(6 + 12 * len(tags))
    table = struct.pack(exif.order + "H", len(tags))
    for tag in tags:
        field = tag.value
        if len(field) > 4:
            if space.taken and tag.number == MAKER_NOTE:
                where = space.taken.start
            else:
                where = space.reserve(len(field))
            space.fill(where, field)
            field = struct.pack(exif.order + "I", where)
        table += struct.pack(exif.order + "HHI", tag.number, tag.kind, tag.count)
        table += field.ljust(4, b"\0")
    space.fill(at, table + bytes(4))
    return at


def _replaced(tags: tuple[Tag, ...], new: Iterable[Tag]) -> tuple[Tag, ...]:
    by_number = {tag.number: tag for tag in tags}
    by_number |= {tag.number: tag for tag in new}
    return tuple(by_number.values())


def _swap(value: bytes, size: int) -> bytes:
    """The bytes of each word of `size` turned round."""
    turned = bytearray(value)
    for index in range(size):
        turned[index::size] = value[size - 1 - index :: size]
    return bytes(turned)
