"""EXIF: bytes stay as they are, one odd tag costs only itself, and what is stale is mended."""

import io
import struct

import photos
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from tintype import photo
from tintype.metadata import exif

from . import rich

Tag = tuple[int, int, int, bytes]  # number, type, count, value


def block(*tags: Tag, order: str = "<", note: bytes | None = None) -> bytes:
    """An EXIF block by hand: a main directory, and one with a maker note."""
    main = list(tags)
    size = 8 + 6 + 12 * (len(main) + (note is not None))
    if note is not None:
        main.append((0x8769, 4, 1, struct.pack(order + "I", size)))
    values, tail = b"", b""
    if note is not None:
        size += 18
        head = struct.pack(order + "HHHII", 1, 0x927C, 7, len(note), size)
        tail, size = head + bytes(4) + note, size + len(note)
    table = struct.pack(order + "H", len(main))
    for number, kind, count, value in main:
        field = value.ljust(4, b"\0")
        if len(value) > 4:
            field = struct.pack(order + "I", size + len(values))
            values += value
        table += struct.pack(order + "HHI", number, kind, count) + field
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HI", 42, 8) + table + bytes(4) + tail + values


def file_with(tags: bytes, format: str = "JPEG") -> bytes:
    return photos.encoded(rich.SCENE, format, exif=exif.HEADER + tags)


def text(number: int, value: bytes) -> Tag:
    return number, 2, len(value), value


ARTIST, DESCRIPTION = 315, 270


@pytest.mark.parametrize("target", rich.FORMATS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "value", ["Bär".encode(), "Bär".encode("latin-1"), b"\x95\x84\x01\xff\xfe"]
)
def test_letters_of_any_encoding_keep_their_bytes(order: str, value: bytes, target: str) -> None:
    long = value * 7 + b"\0"
    file = file_with(block(text(DESCRIPTION, long), text(ARTIST, value[:3] + b"\0"), order=order))
    written, notes = rich.convert(file, target)
    tags = photo.read(written).metadata.exif
    assert [tags.find(number).value for number in (DESCRIPTION, ARTIST)] == [
        long,
        value[:3] + b"\0",
    ]
    assert long in written
    assert not notes


@pytest.mark.parametrize(
    ("odd", "note"),
    [
        ((305, 99, 1, b"abcd"), "Software was left out: its type is 99"),
        ((305, 2, 1 << 31, b"abcd"), "Software was left out: its 2,147,483,648 bytes are too many"),
        ((305, 2, 70_000, b"\xff\xff\xff\x7f"), "Software was left out: its value lies outside"),
        ((0x8825, 4, 1, b"\xff\xff\xff\x7f"), "a directory lies outside"),
    ],
)
def test_one_odd_tag_costs_only_itself(odd: Tag, note: str) -> None:
    written, notes = rich.convert(file_with(block(text(ARTIST, b"Nadar\0"), odd)), "JPEG")
    assert rich.list_tags(written) == {"Exif.Image.Artist": "Nadar"}
    assert len(notes) == 1
    assert note in notes[0]


def test_of_tags_that_come_twice_the_first_counts() -> None:
    tags = block(text(ARTIST, b"Nadar\0"), text(ARTIST, b"Other\0"))
    assert rich.list_tags(rich.convert(file_with(tags), "JPEG")[0])["Exif.Image.Artist"] == "Nadar"


def test_an_orientation_of_an_odd_type_is_obeyed() -> None:
    tags = block((274, 1, 1, b"\x06"), text(DESCRIPTION, b"Haus\0"))
    read = photo.read(file_with(tags))
    assert read.size == (80, 96)
    found = rich.list_tags(rich.convert(file_with(tags), "JPEG")[0])
    assert found == {"Exif.Image.Orientation": "1", "Exif.Image.ImageDescription": "Haus"}


@pytest.mark.parametrize("target", rich.FORMATS)
def test_only_a_jpeg_limits_the_size_and_loses_the_largest_tag(target: str) -> None:
    long = b"ASCII\0\0\0" + 90_000 * b"x"
    tags = exif.encode(
        exif.Exif(
            main=(exif.Tag(ARTIST, 2, 6, b"Nadar\0"),),
            photo=(exif.Tag(exif.USER_COMMENT, 7, len(long), long),),
        )
    )
    written, notes = rich.convert(file_with(tags, "PNG"), target)
    found = rich.list_tags(written)
    assert found["Exif.Image.Artist"] == "Nadar"
    if target == "JPEG":
        assert notes == ("EXIF: UserComment was left out: 90,008 bytes do not fit",)
        assert "Exif.Photo.UserComment" not in found
    else:
        assert not notes
        assert len(found["Exif.Photo.UserComment"]) > 90_000


@pytest.mark.parametrize("length", [60_000, 65_450, 65_540, 65_560])
def test_a_jpeg_holds_what_a_segment_holds(length: int) -> None:
    tags = block(text(ARTIST, b"Nadar\0"), text(DESCRIPTION, (length - 60) * b"x"))
    written, notes = rich.convert(file_with(tags, "PNG"), "JPEG")
    assert rich.list_tags(written)["Exif.Image.Artist"] == "Nadar"
    assert ("Exif.Image.ImageDescription" in rich.list_tags(written)) == (not notes)
    assert bool(notes) == (length > 65_500)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_maker_note_stays_where_its_offsets_count_from(order: str, target: str) -> None:
    note = b"offsets count from the beginning of EXIF"
    stale = (exif.XMP, 1, 400, 400 * b"x")  # goes, so that all behind it moves
    tags = block(stale, text(ARTIST, b"Nadar\0"), order=order, note=note)
    written, notes = rich.convert(file_with(tags, "PNG"), target)
    start = max(written.find(b"II*\0"), written.find(b"MM\0*"))
    assert written.find(note) - start == tags.find(note)
    assert rich.list_tags(written)["Exif.Image.Artist"] == "Nadar"
    assert not notes


def test_a_maker_note_that_cannot_move_is_named() -> None:
    for note, kept in ((b"Canon offsets", False), (b"Nikon\0\x02 its own offsets", True)):
        written, notes = rich.convert(file_with(block(note=note)), "TIFF")
        assert (note in written) == kept
        assert bool(notes) == (not kept)
        assert all("MakerNote" in line for line in notes)


def test_the_thumbnail_goes_and_a_profile_of_other_colors_is_not_named() -> None:
    thumbnail = photos.encoded(Image.new("RGB", (16, 16)), "JPEG")
    tags = Image.Exif()
    tags[ARTIST] = "Nadar"
    camera = tags.get_ifd(ExifTags.IFD.Exif)
    camera |= {0xA001: 2, ExifTags.IFD.Interop: {1: "R03"}}
    main = bytearray(tags.tobytes())
    found = rich.list_tags(
        rich.convert(photos.encoded(rich.SCENE, "JPEG", exif=bytes(main)), "JPEG")[0]
    )
    assert found["Exif.Photo.ColorSpace"] == "1"
    assert "Exif.Iop.InteroperabilityIndex" not in found
    linked = block(text(ARTIST, b"Nadar\0"))
    at = 8 + 2 + 12  # where the offset of the thumbnail's directory lies
    end = len(linked)
    one = struct.pack("<H", 2) + b"".join(
        struct.pack("<HHII", number, 4, 1, value)
        for number, value in ((513, end + 30), (514, len(thumbnail)))
    )
    linked = linked[:at] + struct.pack("<I", end) + linked[at + 4 :] + one + bytes(4) + thumbnail
    with Image.open(io.BytesIO(file_with(linked))) as image:
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1)
    assert thumbnail not in rich.convert(file_with(linked), "JPEG")[0]


@given(cut=st.integers(7, 200), flip=st.integers(0, 150), value=st.integers(0, 255))
def test_broken_exif_neither_warns_nor_costs_the_photo(cut: int, flip: int, value: int) -> None:
    tags = bytearray(photos.exif(1)[:cut])
    tags[flip % len(tags)] = value
    file = photos.encoded(Image.fromarray(photos.gradient()), "PNG", exif=bytes(tags))
    written, _ = rich.convert(file, "JPEG")
    assert photo.read(written).luma.size == photos.gradient().size


values = st.binary(min_size=1, max_size=40)


@given(
    st.dictionaries(st.integers(270, 272) | st.integers(42_000, 42_100), values),
    st.sampled_from("<>"),
)
def test_tags_survive_a_round_trip(found: dict[int, bytes], order: str) -> None:
    tags = tuple(exif.Tag(number, 7, len(value), value) for number, value in sorted(found.items()))
    wanted = exif.Exif(order, main=tags, place=tags)
    data = exif.encode(wanted)
    notes: list[str] = []
    read = exif.read(io.BytesIO(data), notes)
    if not tags:
        assert data == b""
        return
    assert read is not None
    assert exif.describe(read).main == tags
    assert read.place == tags
    assert not notes
