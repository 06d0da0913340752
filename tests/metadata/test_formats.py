"""What a file says about its photo goes from any format to any other; the judge is Exiv2."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import photos
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from tintype import photo
from tintype.metadata import Metadata, Provenance

from . import rich

# What Exiv2 counts as EXIF and says where something lies, or how pixels are stored.
PLACES = {
    f"Exif.{name}" for name in (
        "Image.ExifTag", "Image.GPSTag", "Photo.InteroperabilityTag", "Image.XMLPacket",
        "Image.IPTCNAA", "Image.BitsPerSample", "Image.Compression", "Image.ImageLength",
        "Image.ImageWidth", "Image.PhotometricInterpretation", "Image.PlanarConfiguration",
        "Image.RowsPerStrip", "Image.SamplesPerPixel", "Image.StripByteCounts",
        "Image.StripOffsets",
    )
}  # fmt: skip
# Of IPTC in formats without a place for it: what XMP has instead.
AS_XMP = {
    "Xmp.dc.description": {'lang="x-default"': "Légende"},
    "Xmp.dc.subject": ["Turm", "Paris", "un", "deux"],
    "Xmp.dc.creator": ["Félix"],
    "Xmp.photoshop.DateCreated": "1931-05-01",
}


# What differs between 8 and 16 bits: how samples are stored, and TIFF 6.0's placeholder.
STORED = ("Predictor", "SampleFormat", "XResolution", "YResolution", "ResolutionUnit")


def tell(tags: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tags.items() if name not in PLACES}


@pytest.mark.parametrize("target", rich.FORMATS)
@pytest.mark.parametrize("source", rich.FORMATS)
def test_all_tags_go_from_every_format_to_every_format(
    source: str, target: str, rich_photos: dict[str, Path]
) -> None:
    before = tell(rich.list_tags(rich_photos[source].read_bytes()))
    assert len(before) >= 18
    written, notes = rich.convert(rich_photos[source], target)
    after = tell(rich.list_tags(written))
    wanted = before | {name: value for name, value in rich.TRUE.items() if name in before}
    if target == "AVIF":
        wanted.pop("Exif.Image.Orientation", None)  # upright, as Pillow writes it
    comment = "Exif.Photo.UserComment"
    if source in ("JPEG", "PNG") and target not in ("JPEG", "PNG"):
        assert after.pop(comment).endswith("Café")
    if target in ("WEBP", "AVIF") and source not in ("WEBP", "AVIF"):
        wanted = {name: value for name, value in wanted.items() if not name.startswith("Iptc")}
        wanted |= AS_XMP
        assert [note for note in notes if "IPTC 2:90 was left out" in note]  # XMP has another
    else:
        assert not notes
    assert after == wanted


@pytest.mark.parametrize("target", rich.FORMATS)
@pytest.mark.parametrize("source", rich.FORMATS)
def test_nothing_is_kept_that_is_to_be_stripped(
    source: str, target: str, rich_photos: dict[str, Path]
) -> None:
    written, notes = rich.convert(rich_photos[source], target, strip_metadata=True)
    assert not tell(rich.list_tags(written))
    assert not notes
    for word in ("Nadar", "Paris", "Lyon", "Café", "Petzval"):
        assert word.encode() not in written


@pytest.mark.parametrize("format", rich.FORMATS)
def test_pictures_without_metadata_stay_without(format: str) -> None:
    source = photos.encoded(rich.SCENE, format)
    written, notes = rich.convert(source, format)
    assert not tell(rich.list_tags(written))
    assert not notes
    assert written == rich.convert(source, format, strip_metadata=True)[0]


@pytest.mark.parametrize("format", rich.FORMATS)
def test_what_is_written_can_be_read_and_written_again(
    format: str, rich_photos: dict[str, Path]
) -> None:
    once, _ = rich.convert(rich_photos["JPEG"], format)
    twice, _ = rich.convert(once, format)
    assert tell(rich.list_tags(twice)) == tell(rich.list_tags(once))
    assert photo.read(once).luma.shape == (96, 80)


@pytest.mark.parametrize("source", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("target", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_dpi_is_kept_upright(source: str, target: str) -> None:
    tags = Image.Exif()
    tags[photos.ORIENTATION] = 6
    tags[282], tags[283], tags[296] = 600.0, 300.0, 2
    options = {} if source in ("WEBP", "AVIF") else {"dpi": (600, 300)}
    file = photos.encoded(rich.SCENE, source, exif=tags.tobytes(), **options)
    written, _ = rich.convert(file, target)
    assert photo.read(written).metadata.dpi == pytest.approx((300, 600), abs=0.1)
    if target in ("WEBP", "AVIF"):
        found = rich.list_tags(written)
        values = [eval_ratio(found[f"Exif.Image.{name}Resolution"]) for name in "XY"]
        assert values == pytest.approx([300, 600], abs=0.1)
        assert found["Exif.Image.ResolutionUnit"] == "2"


def eval_ratio(text: str) -> float:
    above, below = text.split("/")
    return int(above) / int(below)


def test_a_placeholder_is_no_resolution() -> None:
    assert photo.read(photos.encoded(rich.SCENE, "BMP", dpi=(0, 0))).metadata.dpi is None
    assert photo.read(photos.encoded(rich.SCENE, "JPEG", exif=photos.exif())).metadata.dpi is None


def test_comments_of_a_jpeg_keep_their_bytes() -> None:
    comment = b"Caf\xe9 \x80\x81"  # no UTF-8
    file = photos.encoded(rich.SCENE, "JPEG", comment=comment)
    second = file[:2] + b"\xff\xfe\x00\x06more" + file[2:]
    written, _ = rich.convert(second, "JPEG")
    with Image.open(io.BytesIO(written)) as image:
        assert [data for name, data in image.applist if name == "COM"] == [b"more", comment]
    with Image.open(io.BytesIO(rich.convert(file, "PNG")[0])) as image:
        assert image.text["Comment"] == comment.decode("latin-1")


def test_texts_of_a_png_keep_language_and_letters() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Félix")
    info.add_text("Long", "x" * 5000, zip=True)
    info.add_itxt("Title", "Der Turm, 塔", "de", "Titel")
    file = photos.encoded(rich.SCENE, "PNG", pnginfo=info)
    with Image.open(io.BytesIO(rich.convert(file, "PNG")[0])) as image:
        assert image.text == {"Author": "Félix", "Long": "x" * 5000, "Title": "Der Turm, 塔"}
        assert (image.text["Title"].lang, image.text["Title"].tkey) == ("de", "Titel")
    with Image.open(io.BytesIO(rich.convert(file, "JPEG")[0])) as image:
        comments = [data.decode() for name, data in image.applist if name == "COM"]
    assert comments == ["Author: Félix", "Long: " + "x" * 5000, "Title: Der Turm, 塔"]


def test_a_text_that_outgrows_a_segment_is_cut_and_named() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 70_000)
    written, notes = rich.convert(photos.encoded(rich.SCENE, "PNG", pnginfo=info), "JPEG")
    assert notes == ("a comment was cut: 70,000 bytes do not fit",)
    with Image.open(io.BytesIO(written)) as image:
        assert image.info["comment"] == b"x" * 65_533


def test_a_tiff_with_metadata_is_compressed_and_read_by_others(
    rich_photos: dict[str, Path],
) -> None:
    written, _ = rich.convert(rich_photos["JPEG"], "TIFF")
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        assert len(file.pages) == 1
        page = file.pages[0]
        assert page.compression == 8
        assert (page.asarray()[..., 0] == photo.read(rich_photos["JPEG"]).luma).all()
        assert page.tags["ExifTag"].value["DateTimeOriginal"] == "1860:01:01 00:00:00"
        assert page.tags["GPSTag"].value["GPSLatitudeRef"] == "N"
        assert page.tags["XMP"].value.startswith(b"<?xpacket")


def test_metadata_that_break_the_writer_cost_neither_the_photo_nor_provenance(
    rich_photos: dict[str, Path],
) -> None:
    like = photo.read(rich_photos["JPEG"])
    image, buffer = Image.fromarray(like.luma).convert("RGB"), io.BytesIO()
    odd = Metadata(orientation=6, dpi=(-1.0, 1e300))  # a fraction that EXIF cannot hold
    like = dataclasses.replace(like, metadata=odd)
    stamp = Provenance("{}")
    notes = photo.write(image, buffer, like=like, format="WEBP", provenance=stamp)
    assert len(notes) == 1
    assert notes[0].startswith("metadata were left out: ")
    assert "Xmp.xmp.CreatorTool" in rich.list_tags(buffer.getvalue())


@pytest.mark.parametrize("target", ["PNG", "TIFF"])
@pytest.mark.parametrize("source", rich.FORMATS)
def test_files_of_16_bits_say_what_those_of_8_do(
    source: str, target: str, rich_photos: dict[str, Path]
) -> None:
    found = []
    for depth in (8, 16):
        written, notes = rich.convert(rich_photos[source], target, depth=depth)
        tags = tell(rich.list_tags(written))
        for name in STORED:
            tags.pop(f"Exif.Image.{name}", None)
        found.append((tags, notes, photo.read(written).metadata.dpi))
    assert found[0] == found[1]
    assert len(found[1][0]) >= 15
