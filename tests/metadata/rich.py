"""Photos with much metadata in any format, made by Exiv2, and what Exiv2 finds in others."""

import io
from pathlib import Path
from typing import Any

import photos
import pyexiv2
from PIL import Image

from tintype import photo

FORMATS = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "AVIF": ".avif"}
SCENE = Image.fromarray(photos.scene())  # 96 x 80
UPRIGHT = SCENE.transpose(Image.Transpose.ROTATE_270)

EXIF = {
    "Exif.Image.Artist": "Félix Nadar",
    "Exif.Image.ImageDescription": "Ein Bär, 北京",
    "Exif.Image.Copyright": "© Nadar",
    "Exif.Image.Orientation": "6",
    "Exif.Image.XPTitle": "85 0 98 0",
    "Exif.Photo.DateTimeOriginal": "1860:01:01 00:00:00",
    "Exif.Photo.LensModel": "Petzval Größe 4",
    "Exif.Photo.PixelXDimension": "96",
    "Exif.Photo.PixelYDimension": "80",
    "Exif.Photo.FNumber": "36/10",
    "Exif.GPSInfo.GPSLatitudeRef": "N",
    "Exif.GPSInfo.GPSLatitude": "48/1 51/1 300/10",
    "Exif.Iop.InteroperabilityIndex": "R98",
}
XMP = {
    "Xmp.dc.title": {'lang="x-default"': "Überschrift"},
    "Xmp.dc.subject": ["Turm", "Paris"],
    "Xmp.photoshop.City": "Paris",
    "Xmp.tiff.Orientation": "6",
    "Xmp.tiff.ImageWidth": "96",
    "Xmp.exif.PixelYDimension": "80",
    "Xmp.xmp.Rating": "4",
}
IPTC = {
    "Iptc.Envelope.CharacterSet": "\x1b%G",
    "Iptc.Application2.Caption": "Légende",
    "Iptc.Application2.Keywords": ["un", "deux"],
    "Iptc.Application2.Byline": ["Félix"],
    "Iptc.Application2.City": "Lyon",
    "Iptc.Application2.DateCreated": "1931-05-01",
}
# What has to be other in an upright file of 80 x 96 pixels.
TRUE = {
    "Exif.Image.Orientation": "1",
    "Exif.Photo.PixelXDimension": "80",
    "Exif.Photo.PixelYDimension": "96",
    "Xmp.tiff.Orientation": "1",
    "Xmp.tiff.ImageWidth": "80",
    "Xmp.exif.PixelYDimension": "96",
}


def make_photo(format: str, folder: Path) -> Path:
    """A photo of a format that has all of the above, if the format can hold it."""
    path = folder / f"rich{FORMATS[format]}"
    if format == "AVIF":  # which Exiv2 reads and does not write
        like = make_photo("WEBP", folder)
        with Image.open(like) as image:
            tags = Image.Exif()
            tags.load(image.info["exif"])
            SCENE.save(path, exif=tags, xmp=image.info["xmp"])
        return path
    SCENE.save(path)
    with pyexiv2.Image(str(path)) as image:
        image.modify_exif(EXIF)
        image.modify_xmp(XMP)
        if format != "WEBP":
            image.modify_iptc(IPTC)
        if format in ("JPEG", "PNG"):
            image.modify_comment("Café")
    return path


def list_tags(data: bytes) -> dict[str, Any]:
    """All tags that Exiv2 finds in a file."""
    with pyexiv2.ImageData(data) as image:
        return {**image.read_exif(), **image.read_xmp(), **image.read_iptc()}


def convert(source: Any, format: str, **options: Any) -> tuple[bytes, tuple[str, ...]]:
    """The photo written in a format by Tintype, and the notes on it."""
    like = photo.read(source)
    image, buffer = Image.fromarray(like.luma).convert("RGB"), io.BytesIO()
    notes = photo.write(image, buffer, like=like, format=format, **options)
    return buffer.getvalue(), (*like.notes, *notes)
