"""XMP: what others wrote is kept, what is no longer true is mended, nothing in it is trusted."""

import io
import time

import photos
import pytest
from PIL import Image, PngImagePlugin

from tintype import photo
from tintype.metadata import xmp

from . import rich

HEAD = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
)
TAIL = '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
TIFF, EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"


def packet(inside: str, attributes: str = "") -> bytes:
    about = (
        f'<rdf:Description rdf:about="" xmlns:tiff="{TIFF}" xmlns:exif="{EXIF}"'
        f' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" {attributes}>'
    )
    return (HEAD + about + inside + "</rdf:Description>" + TAIL).encode()


def file_with(data: bytes, format: str = "PNG") -> bytes:
    options = {"xmp": data}
    if format == "PNG":
        options = {"pnginfo": chunks(data)}
    return photos.encoded(rich.SCENE, format, **options)


def chunks(data: bytes) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", data)
    return info


@pytest.mark.parametrize("as_attributes", [True, False])
def test_size_orientation_and_colors_are_mended_however_they_are_written(
    as_attributes: bool,
) -> None:
    before = {
        "tiff:Orientation": "8", "tiff:ImageWidth": "96", "tiff:ImageLength": "80",
        "exif:PixelXDimension": "96", "exif:PixelYDimension": "80", "exif:ColorSpace": "65535",
        "tiff:XResolution": "300/1", "tiff:YResolution": "600/1", "photoshop:ColorMode": "1",
        "photoshop:ICCProfile": "Dot Gain 20%", "tiff:SamplesPerPixel": "1",
        "photoshop:City": "Paris",
    }  # fmt: skip
    if as_attributes:
        data = packet("", " ".join(f'{name}="{value}"' for name, value in before.items()))
    else:
        data = packet("".join(f"<{name}>{value}</{name}>" for name, value in before.items()))
    assert photo.read(file_with(data)).size == (80, 96)  # turned as the packet says
    found = rich.list_tags(rich.convert(file_with(data), "JPEG")[0])
    assert found == {
        "Xmp.tiff.Orientation": "1", "Xmp.tiff.ImageWidth": "80", "Xmp.tiff.ImageLength": "96",
        "Xmp.exif.PixelXDimension": "80", "Xmp.exif.PixelYDimension": "96",
        "Xmp.exif.ColorSpace": "1", "Xmp.tiff.XResolution": "600/1",
        "Xmp.tiff.YResolution": "300/1", "Xmp.photoshop.ColorMode": "3",
        "Xmp.photoshop.City": "Paris",
    }  # fmt: skip


def test_a_thumbnail_in_xmp_goes_and_structures_stay() -> None:
    data = packet(
        '<xmp:Thumbnails xmlns:xmp="http://ns.adobe.com/xap/1.0/"><rdf:Alt>'
        '<rdf:li rdf:parseType="Resource"><g:image xmlns:g="http://ns.adobe.com/xap/1.0/g/img/">'
        "SECRETPICTURE</g:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
        '<mine:Box xmlns:mine="urn:mine" rdf:parseType="Resource"><mine:Lid>ein &lt;Deckel&gt; '
        "&amp; mehr</mine:Lid></mine:Box>"
    )
    written, notes = rich.convert(file_with(data), "PNG")
    assert b"SECRETPICTURE" not in written
    assert b'xmlns:mine="urn:mine"' in written
    assert b"<mine:Lid>ein &lt;Deckel&gt; &amp; mehr</mine:Lid>" in written
    assert not notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_packets_in_any_encoding_of_unicode_are_read(encoding: str) -> None:
    data = packet("<photoshop:City>北京</photoshop:City>").decode().encode(encoding)
    written, _ = rich.convert(file_with(data, "WEBP"), "WEBP")
    assert rich.list_tags(written) == {"Xmp.photoshop.City": "北京"}


@pytest.mark.parametrize("large", [False, True])
def test_a_packet_longer_than_a_segment_goes_on_in_others(large: bool) -> None:
    words = "x" * (200_000 if large else 70_000)
    data = packet(
        f"<photoshop:City>Paris</photoshop:City><photoshop:History>{words}</photoshop:History>"
        "<tiff:Orientation>3</tiff:Orientation>"
    )
    once, notes = rich.convert(file_with(data), "JPEG")
    assert not notes
    with Image.open(io.BytesIO(once)) as image:
        segments = [data for _, data in image.applist if b"ns.adobe.com/xmp/extension" in data[:40]]
    assert len(segments) == (4 if large else 2)
    assert b"HasExtendedXMP" in once
    twice = rich.list_tags(rich.convert(once, "PNG")[0])  # all in one again
    assert twice.pop("Xmp.photoshop.History") == words
    assert twice == {"Xmp.photoshop.City": "Paris", "Xmp.tiff.Orientation": "1"}


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
REACH = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (BOMB.encode() + packet("<photoshop:City>&b;</photoshop:City>"), "document type"),
        (REACH.encode() + packet("<photoshop:City>&a;</photoshop:City>"), "document type"),
        ((REACH + packet("&a;").decode()).encode("utf-16"), "document type"),
        (b'<?xml version="1.0" encoding="cp037"?>' + REACH.encode("cp037"), "no XML"),
        (packet("<photoshop:City>Par"), "no XML"),
        (b"nonsense \x00\xff", "no XML"),
        (b"<x/>", "no rdf:RDF"),
        (packet("<a>" * 5000 + "</a>" * 5000), "too deep"),
        (packet("<a/>" * 200_000), "too many elements"),
        (packet("<a/>" * 5_000), "too many properties"),
        (packet("<a>" + "x" * (5 << 20) + "</a>"), "too many"),
    ],
)
def test_hostile_packets_are_left_out_quickly(data: bytes, why: str) -> None:
    file = photos.encoded(rich.SCENE, "WEBP", xmp=data, exif=photos.exif(3))
    start = time.process_time()
    written, notes = rich.convert(file, "JPEG")
    assert time.process_time() - start < 2
    assert len(notes) == 1
    assert notes[0].startswith("XMP was left out: ")
    assert why in notes[0]
    assert rich.list_tags(written)["Exif.Image.Artist"] == "Nadar"
    assert not any(name.startswith("Xmp") for name in rich.list_tags(written))


@pytest.mark.parametrize("properties", [True, False])
def test_the_largest_packets_that_are_read_take_no_time(properties: bool) -> None:
    if properties:
        data = packet("".join(f'<a{i} b="{"x" * 60}"/>' for i in range(3999)))
    else:
        data = packet("<a>" + '<b c="d"/>' * 19_000 + "</a>")
    start = time.process_time()
    found = xmp.Packet(data)
    found.correct(xmp.Facts(1, 1, "image/jpeg"))
    found.split(65_000)
    assert time.process_time() - start < 4
