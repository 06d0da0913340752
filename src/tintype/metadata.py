"""What a file says about itself, kept on the way out: EXIF and dpi are cleaned for a new file.

Metadata that are broken or nonsense are ignored, for they must not cost the photo.
"""

from typing import Any

from PIL import ExifTags, Image

_MAX_EXIF_READ = 1 << 20
_MAX_EXIF_KEPT = 65_000  # one JPEG segment holds 65,533 bytes

_Tag = ExifTags.Base
# What describes the photo. The rest of the main directory describes the bytes of the old file.
_EXIF_KEPT = (
    _Tag.DocumentName, _Tag.ImageDescription, _Tag.Make, _Tag.Model, _Tag.Software,
    _Tag.DateTime, _Tag.Artist, _Tag.HostComputer, _Tag.Copyright, _Tag.Rating,
    _Tag.XPTitle, _Tag.XPComment, _Tag.XPAuthor, _Tag.XPKeywords, _Tag.XPSubject,
)  # fmt: skip
# Wrong in a new file: offsets into the old one, its size before turning, its color space.
_EXIF_STALE = (
    _Tag.MakerNote, ExifTags.IFD.Interop, _Tag.ExifImageWidth, _Tag.ExifImageHeight,
    _Tag.ColorSpace,
)  # fmt: skip


def read_exif(image: Image.Image) -> tuple[bytes | None, int]:
    """The EXIF for a new file, if there is any worth keeping, and the orientation of the old."""
    if len(image.info.get("exif", b"")) > _MAX_EXIF_READ:
        return None, 1
    orientation = 1
    try:
        found = image.getexif()
        orientation = int(found.get(_Tag.Orientation, 1))
        kept = Image.Exif()
        for tag in _EXIF_KEPT:
            if tag in found:
                kept[tag] = found[tag]
        for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            entries = {k: v for k, v in found.get_ifd(directory).items() if k not in _EXIF_STALE}
            if entries:
                kept[directory] = entries
        if not len(kept):
            return None, orientation
        kept[_Tag.Orientation] = 1
        exif = kept.tobytes()
        return (exif if len(exif) <= _MAX_EXIF_KEPT else None), orientation
    except Exception:  # struct, key, type and value errors: whatever the broken bytes provoke
        return None, orientation


def read_dpi(image: Image.Image) -> tuple[float, float] | None:
    """The resolution, unless it is a placeholder or nonsense."""
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 < across < 65536 and 1 < down < 65536 else None


def save_options(
    exif: bytes | None, dpi: tuple[float, float] | None, format: str
) -> dict[str, Any]:
    """What Pillow's `save` gets to keep a photo's EXIF and dpi."""
    options: dict[str, Any] = {"dpi": dpi} if dpi else {}
    if exif:
        options["exif"] = exif
        tags = Image.Exif()
        tags.load(exif)
        # Through libtiff, which compresses, Pillow cannot write the date and the place.
        if format == "TIFF" and (ExifTags.IFD.Exif in tags or ExifTags.IFD.GPSInfo in tags):
            options["compression"] = "raw"
    return options
