"""Faces in XMP are where they were, once a photo was turned upright."""

import io
import re

import numpy as np
import photos
import pytest
from PIL import Image, ImageOps

from .rich import convert, list_tags

WIDTH, HEIGHT = 80, 40
X, Y, W, H = 20, 24, 8, 12  # a white face on black, pixels from the corner
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
NAMESPACES = (
    'xmlns:mwg="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:a="http://ns.adobe.com/xmp/sType/Area#" '
    'xmlns:d="http://ns.adobe.com/xap/1.0/sType/Dimensions#" '
    'xmlns:MP="http://ns.microsoft.com/photo/1.2/" '
    'xmlns:i="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
    'xmlns:r="http://ns.microsoft.com/photo/1.2/t/Region#" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
)
VALUES = {
    "x": (X + W / 2) / WIDTH, "y": (Y + H / 2) / HEIGHT, "w": W / WIDTH, "h": H / HEIGHT,
}  # fmt: skip
ATTRIBUTES = "<mwg:Area {}/>".format(" ".join(f'a:{k}="{v}"' for k, v in VALUES.items()))
ELEMENTS = '<mwg:Area rdf:parseType="Resource">{}</mwg:Area>'.format(
    "".join(f"<a:{k}>{v}</a:{k}>" for k, v in VALUES.items())
)


def packet(area: str, sides: tuple[int, int] = (WIDTH, HEIGHT), more: str = "") -> bytes:
    mwg = (
        '<mwg:Regions rdf:parseType="Resource">'
        f'<mwg:AppliedToDimensions d:w="{sides[0]}" d:h="{sides[1]}" d:unit="pixel"/>'
        '<mwg:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource"><mwg:Name>Ada</mwg:Name>'
        f"{area}</rdf:li></rdf:Bag></mwg:RegionList></mwg:Regions>"
    )
    rectangle = f"{X / WIDTH}, {Y / HEIGHT}, {W / WIDTH}, {H / HEIGHT}"
    microsoft = (
        '<MP:RegionInfo rdf:parseType="Resource"><i:Regions><rdf:Bag>'
        f'<rdf:li><rdf:Description r:Rectangle="{rectangle}"/></rdf:li>'
        "</rdf:Bag></i:Regions></MP:RegionInfo>"
    )
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" '
        f"{NAMESPACES}>{mwg}{microsoft}{more}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def scene() -> Image.Image:
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[Y : Y + H, X : X + W] = 255
    return Image.fromarray(values)


def file_with(data: bytes, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return photos.encoded(scene(), "WEBP", lossless=True, exif=exif, xmp=data)


def face(upright: Image.Image) -> tuple[float, float, float, float]:
    """The corner and the size of what is white, in shares."""
    rows, columns = np.nonzero(np.asarray(upright) > 128)
    high, wide = np.asarray(upright).shape
    return (
        columns.min() / wide, rows.min() / high,
        (np.ptp(columns) + 1) / wide, (np.ptp(rows) + 1) / high,
    )  # fmt: skip


@pytest.mark.parametrize("area", [ATTRIBUTES, ELEMENTS])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_faces_turn_with_the_photo(orientation: int, area: str) -> None:
    with Image.open(io.BytesIO(file_with(packet(area), orientation))) as image:
        upright = ImageOps.exif_transpose(image).convert("L")
    x, y, w, h = face(upright)
    tags = list_tags(convert(file_with(packet(area), orientation), "PNG")[0])
    found = {name.split(":")[-1]: float(v) for name, v in tags.items() if "/a:" in name}
    assert found == pytest.approx({"x": x + w / 2, "y": y + h / 2, "w": w, "h": h}, abs=1e-5)
    sides = [tags[next(n for n in tags if n.endswith(f"/d:{side}"))] for side in "wh"]
    assert sides == list(map(str, upright.size))
    rectangle = next(value for name, value in tags.items() if name.endswith("Rectangle"))
    assert [*map(float, rectangle.split(","))] == pytest.approx([x, y, w, h], abs=1e-5)


def test_regions_of_the_upright_size_and_without_sense_stay() -> None:
    for data in (
        packet(ATTRIBUTES, (HEIGHT, WIDTH)),
        packet('<mwg:Area a:x="7" a:y="0.5"/>'),
        packet('<mwg:Area a:x="east" a:y="0.5"/>'),
        packet("<mwg:Area/>"),
    ):
        written = convert(file_with(data, 6), "PNG")[0]
        areas = re.findall(rb"<mwg:Area[^>]*>", data)
        assert areas == re.findall(rb"<mwg:Area[^>]*>", written)


def test_regions_that_cannot_be_turned_are_left_out_with_a_note() -> None:
    other = "<Iptc4xmpExt:ImageRegion><rdf:Bag/></Iptc4xmpExt:ImageRegion>"
    written, notes = convert(file_with(packet(ATTRIBUTES, more=other), 6), "PNG")
    assert b"ImageRegion" not in written
    assert notes == ("regions were left out: the photo was turned upright, they are not",)
    written, notes = convert(file_with(packet(ATTRIBUTES, more=other), 1), "PNG")
    assert b"ImageRegion" in written
    assert notes == ()
