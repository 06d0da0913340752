"""Photoshop's resources and IPTC: kept as bytes, without thumbnails; the judge is Exiv2."""

import io
import struct

import photos
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tintype.metadata import photoshop
from tintype.metadata.photoshop import Resource

from . import rich

IPTC = b"\x1c\x02\x69\x00\x06Le 1er\x1c\x02\x50\x00\x05Nadar"  # headline, by-line
SLICES, THUMBNAIL, PROFILE, RESOLUTION, COPYRIGHT = 1050, 1036, 1039, 1005, 1034


def block(*resources: tuple[int, bytes]) -> bytes:
    """By the specification: signature, number, empty name, length, data, padded to even."""
    return b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)
        for number, data in resources
    )


def jpeg_with(data: bytes, step: int = 65_000) -> bytes:
    extra = b""
    for at in range(0, len(data), step):
        part = b"Photoshop 3.0\0" + data[at : at + step]
        extra += b"\xff\xed" + struct.pack(">H", len(part) + 2) + part
    return photos.encoded(rich.SCENE, "JPEG", extra=extra)


def resources_of(data: bytes) -> dict[int, bytes]:
    with Image.open(io.BytesIO(data)) as image:
        return image.info.get("photoshop", {})


def test_resources_are_kept_without_thumbnail_and_profile() -> None:
    before = block(
        (IPTC_NUMBER, IPTC), (THUMBNAIL, b"old picture"), (PROFILE, b"profile"),
        (COPYRIGHT, b"\x01"), (SLICES, b"odd"),
    )  # fmt: skip
    written, notes = rich.convert(jpeg_with(before), "JPEG")
    assert resources_of(written) == {IPTC_NUMBER: IPTC, COPYRIGHT: b"\x01", SLICES: b"odd"}
    assert b"old picture" not in written
    assert not notes
    assert rich.list_tags(written) == {
        "Iptc.Application2.Headline": "Le 1er",
        "Iptc.Application2.Byline": ["Nadar"],
    }


IPTC_NUMBER = 1028


def test_resources_longer_than_a_segment_are_whole_again() -> None:
    before = block((SLICES, bytes(range(256)) * 600), (IPTC_NUMBER, IPTC))
    written, notes = rich.convert(jpeg_with(before), "JPEG")
    assert written.count(b"Photoshop 3.0\0") == 3
    for target in ("JPEG", "PNG", "TIFF"):
        again, _ = rich.convert(written, target)
        assert rich.list_tags(again)["Iptc.Application2.Headline"] == "Le 1er"
    tiff, _ = rich.convert(written, "TIFF")
    with tifffile.TiffFile(io.BytesIO(tiff)) as file:
        tags = file.pages[0].tags
        assert tags[34377].value == block((SLICES, bytes(range(256)) * 600))
        assert tags[33723].value == IPTC
    assert not notes


@pytest.mark.parametrize("swapped", [False, True])
def test_iptc_of_a_tiff_may_be_words_of_either_order(swapped: bool) -> None:
    data = IPTC + bytes(-len(IPTC) % 4)
    words = struct.unpack(f"{'>' if swapped else '<'}{len(data) // 4}I", data)
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, photos.gradient(), photometric="minisblack", byteorder="<",
        extratags=[(33723, 4, len(words), words, True)],
    )  # fmt: skip
    found = rich.list_tags(rich.convert(buffer.getvalue(), "JPEG")[0])
    assert found["Iptc.Application2.Headline"] == "Le 1er"


@pytest.mark.parametrize("target", ["WEBP", "AVIF"])
def test_what_has_no_place_is_named(target: str) -> None:
    only_iptc, more = block((IPTC_NUMBER, IPTC)), block((IPTC_NUMBER, IPTC), (COPYRIGHT, b"\x01"))
    assert not rich.convert(jpeg_with(only_iptc), target)[1]
    written, notes = rich.convert(jpeg_with(more), target)
    assert rich.list_tags(written)["Xmp.photoshop.Headline"] == "Le 1er"
    assert notes == ("Photoshop's resources were left out: this format has no place for them",)


def test_a_preview_inside_iptc_goes_and_the_digest_with_it() -> None:
    preview = b"\x1c\x02\xca\x00\x07PREVIEW"
    before = block((IPTC_NUMBER, IPTC + preview), (1061, b"0123456789abcdef"))
    written, _ = rich.convert(jpeg_with(before), "JPEG")
    assert resources_of(written) == {IPTC_NUMBER: IPTC}
    same = block((IPTC_NUMBER, IPTC), (1061, b"0123456789abcdef"))
    assert 1061 in resources_of(rich.convert(jpeg_with(same), "JPEG")[0])


def test_the_resolution_turns_with_the_photo() -> None:
    across, down = b"\0\xc8\0\0\0\1\0\1", b"\1\x2c\0\0\0\1\0\1"  # 200 and 300 dpi
    file = jpeg_with(block((RESOLUTION, across + down)))
    turned = file[:2] + exif_segment(photos.exif(6)) + file[2:]
    for source, wanted in ((file, (200, 300)), (turned, (300, 200))):
        found = resources_of(rich.convert(source, "JPEG")[0])[RESOLUTION]
        assert (found["XResolution"], found["YResolution"]) == wanted


def exif_segment(data: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data


@pytest.mark.parametrize("cut", [0, 3, 7, 14, 21, 24])
def test_a_broken_block_is_kept_up_to_its_fault(cut: int) -> None:
    whole = block((COPYRIGHT, b"\x01"), (IPTC_NUMBER, IPTC))
    written, _ = rich.convert(jpeg_with(whole[:-cut] if cut else whole), "JPEG")
    assert resources_of(written).get(COPYRIGHT) == (b"\x01" if cut < len(whole) - 13 else None)


resources = st.builds(
    Resource, st.integers(0, 65535), st.binary(max_size=20), st.binary(max_size=40)
)


@given(st.lists(resources, max_size=5))
def test_resources_survive_a_round_trip(found: list[Resource]) -> None:
    assert photoshop.parse(photoshop.encode(tuple(found))) == tuple(found)


@given(st.binary(max_size=80))
def test_nonsense_is_no_resource_and_no_error(data: bytes) -> None:
    photoshop.parse(b"8BIM" + data)
    photoshop.datasets(b"\x1c" + data)
