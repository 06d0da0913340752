"""What a file says about its photo, kept on the way out: EXIF, XMP, IPTC, texts and dpi.

    file ──read──▶ Metadata ──save_options, finish──▶ file of any of five formats

What is broken is left out alone and noted, for it must cost neither the photo nor the rest.
"""

import io
import struct
from dataclasses import dataclass, field
from typing import BinaryIO

from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin

from tintype.metadata import bmff, photoshop, xmp
from tintype.metadata import exif as exif_
from tintype.metadata.exif import Exif
from tintype.metadata.photoshop import Resource

_MOST_COMMENTS = 256
_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_PROFILE = "Raw profile type "  # how ImageMagick puts other metadata into PNG texts


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a PNG; `language` and `translated` (the keyword) are those of an iTXt chunk."""

    keyword: str
    value: str
    language: str | None = None
    translated: str | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What describes a photo, and is as true of a colored one.

    exif: the tags; its orientation is still the old file's
    xmp, xmp_extension: the packet, and what of it did not fit into one segment of a JPEG
    resources: Photoshop's, IPTC among them
    comments: of JPEG and GIF, as bytes; texts: of PNG
    dpi: dots per inch of the upright photo, horizontal and vertical
    orientation: 1..8, of the old file's pixels
    """

    exif: Exif = field(default_factory=Exif)
    xmp: bytes | None = None
    xmp_extension: bytes | None = None
    resources: tuple[Resource, ...] = ()
    comments: tuple[bytes, ...] = ()
    texts: tuple[Text, ...] = ()
    dpi: tuple[float, float] | None = None
    orientation: int = 1

    @property
    def across(self) -> bool:
        """Whether width and height change places as the photo is turned upright."""
        return self.orientation >= 5


def read(image: Image.Image, stream: BinaryIO | None, notes: list[str]) -> Metadata:
    """The metadata of an image whose pixels Pillow has read; `stream` is its file.

    notes: gets a line for what is broken and left out.
    """
    try:
        return _read(image, stream, notes)
    except Exception as error:  # whatever broken bytes provoke in Pillow
        notes.append(f"metadata were left out: {error or type(error).__name__}")
        return Metadata(dpi=read_dpi(image))


def _read(image: Image.Image, stream: BinaryIO | None, notes: list[str]) -> Metadata:
    block = _bytes(image.info.get("exif"))
    packet, extension = _bytes(image.info.get("xmp")), None
    resources: tuple[Resource, ...] = ()
    comments: tuple[bytes, ...] = ()
    texts: tuple[Text, ...] = ()
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        extension = _join_extension(image.applist)
        resources = _resources_of_jpeg(image.applist)
        comments = tuple(data for name, data in image.applist if name == "COM")
    elif isinstance(image, GifImagePlugin.GifImageFile):
        comments = tuple(filter(None, [_bytes(image.info.get("comment"))]))
    elif isinstance(image, PngImagePlugin.PngImageFile):
        texts, profiles = _texts_of_png(image)
        block = block or profiles.get("exif") or profiles.get("APP1")
        packet = packet or profiles.get("xmp")
        resources = photoshop.parse(profiles.get("8bim") or profiles.get("iptc") or b"")
    shown = _orientation(block)
    if image.format in ("AVIF", "HEIF") and stream is not None:
        block = bmff.find_exif(stream) or block
    tags = _read_exif(image, stream, block, notes) or Exif()
    if image.format == "TIFF":
        return _of_directory(tags, read_dpi(image))
    orientation = shown or _orientation_of(tags) or (xmp.find_orientation(packet) if packet else 1)
    dpi = read_dpi(image) or _dpi_of_exif(tags)
    if dpi and orientation >= 5:
        dpi = dpi[::-1]
    return Metadata(
        exif_.describe(tags), packet, extension, resources, _bounded(comments, notes), texts,
        dpi, orientation,
    )  # fmt: skip


def find_xmp(image: Image.Image, stream: BinaryIO) -> list[bytes]:
    """The packets of a picture that Pillow has opened, not decoded; `stream` is its file."""
    found = [_bytes(image.info.get("xmp"))]
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        found.append(_join_extension(image.applist))
    elif image.format == "TIFF":
        found = [_value(exif_.read(stream, []) or Exif(), exif_.XMP)]
    return [packet for packet in found if packet]


def read_directory(
    stream: BinaryIO, offset: int, notes: list[str]
) -> tuple[Metadata, bytes | None]:
    """The metadata and the ICC profile of the directory at an offset of a TIFF file."""
    tags = exif_.read(stream, notes, offset) or Exif()
    return _of_directory(tags, _dpi_of_exif(tags)), _value(tags, exif_.PROFILE)


def _of_directory(tags: Exif, dpi: tuple[float, float] | None) -> Metadata:
    """The metadata of a TIFF, where all are tags."""
    packet = _value(tags, exif_.XMP)
    resources = photoshop.parse(_value(tags, exif_.PHOTOSHOP) or b"")
    iptc = _iptc_of_tiff(_value(tags, exif_.IPTC))
    if iptc:
        others = tuple(one for one in resources if one.number != photoshop.IPTC)
        resources = (Resource(photoshop.IPTC, b"", iptc), *others)
    orientation = _orientation_of(tags) or 1
    dpi = dpi[::-1] if dpi and orientation >= 5 else dpi
    return Metadata(
        exif_.describe(tags), packet, resources=resources, dpi=dpi, orientation=orientation
    )


def read_dpi(image: Image.Image) -> tuple[float, float] | None:
    """The resolution, unless it is a placeholder or nonsense."""
    if image.format in ("JPEG", "MPO") and image.info.get("jfif_unit") not in (1, 2):
        return None  # what Pillow makes up from EXIF
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 < across < 65536 and 1 < down < 65536 else None


def _read_exif(
    image: Image.Image, stream: BinaryIO | None, block: bytes | None, notes: list[str]
) -> Exif | None:
    """The EXIF in a block, or in a TIFF file itself."""
    if block is not None:
        return exif_.read(io.BytesIO(block.removeprefix(exif_.HEADER)), notes)
    if image.format == "TIFF" and stream is not None:
        return exif_.read(stream, notes)
    tags = image.getexif() if stream is None else None  # of an image from memory
    return (
        exif_.read(io.BytesIO(tags.tobytes().removeprefix(exif_.HEADER)), notes) if tags else None
    )


def _orientation(block: bytes | None) -> int | None:
    """The orientation that Pillow gives a file, from all that the file says."""
    tags = exif_.read(io.BytesIO(block.removeprefix(exif_.HEADER)), []) if block else None
    return _orientation_of(tags) if tags else None


def _orientation_of(tags: Exif) -> int | None:
    """1..8; None where there is none, or nonsense."""
    found = tags.find(exif_.ORIENTATION)
    value = None if found is None else found.integer(tags.order)
    return value if value in range(1, 9) else None


def _dpi_of_exif(tags: Exif) -> tuple[float, float] | None:
    """The resolution in EXIF, where the format itself has none."""
    unit, values = tags.find(exif_.RESOLUTION_UNIT), []
    for number in (exif_.X_RESOLUTION, exif_.Y_RESOLUTION):
        tag = tags.find(number)
        if tag is None or tag.kind != 5 or len(tag.value) != 8:
            return None
        above, below = struct.unpack(tags.order + "II", tag.value)
        values.append(above / below if below else 0)
    scale = 2.54 if unit is not None and unit.integer(tags.order) == 3 else 1
    across, down = (scale * value for value in values)
    return (across, down) if 1 < across < 65536 and 1 < down < 65536 else None


def _value(tags: Exif, number: int) -> bytes | None:
    tag = tags.find(number)
    return None if tag is None else tag.value


def _bytes(value: object) -> bytes | None:
    """What Pillow says is there, as bytes."""
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) and value else None


def _iptc_of_tiff(value: bytes | None) -> bytes | None:
    """The block; some programs store it as words of the other byte order."""
    if value and value[:1] != b"\x1c" and value[3:4] == b"\x1c":
        return struct.pack(
            f"<{len(value) // 4}I", *struct.unpack_from(f">{len(value) // 4}I", value)
        )
    return value


def _resources_of_jpeg(segments: list[tuple[str, bytes]]) -> tuple[Resource, ...]:
    start = photoshop.SIGNATURE
    parts = [data[len(start) :] for _, data in segments if data.startswith(start)]
    return photoshop.parse(b"".join(parts))


def _join_extension(segments: list[tuple[str, bytes]]) -> bytes | None:
    """The extended packet, whose pieces may come in any order; None where one is missing."""
    pieces: dict[bytes, dict[int, bytes]] = {}
    lengths: dict[bytes, int] = {}
    for _, data in segments:
        if data.startswith(_XMP_EXTENSION) and len(data) > (head := len(_XMP_EXTENSION) + 40):
            guid = data[head - 40 : head - 8]
            lengths[guid], offset = struct.unpack(">II", data[head - 8 : head])
            pieces.setdefault(guid, {})[offset] = data[head:]
    for guid, parts in pieces.items():
        whole = b"".join(part for _, part in sorted(parts.items()))
        if len(whole) == lengths[guid]:
            return whole
    return None


def _texts_of_png(image: PngImagePlugin.PngImageFile) -> tuple[tuple[Text, ...], dict[str, bytes]]:
    """The texts, and apart from them what ImageMagick's texts hold: EXIF, IPTC, XMP."""
    texts, profiles = [], {}
    for keyword, value in image.text.items():
        if keyword.startswith(_PROFILE):
            try:
                profiles[keyword.removeprefix(_PROFILE)] = bytes.fromhex(
                    "".join(value.strip().split("\n")[2:])
                )
            except ValueError:
                continue
        elif isinstance(value, PngImagePlugin.iTXt):
            if keyword != "XML:com.adobe.xmp":
                language, translated = (_words(part) for part in (value.lang, value.tkey))
                texts.append(Text(keyword, str(value), language, translated))
        elif not keyword.lower().endswith("orientation"):
            texts.append(Text(keyword, value))
    return tuple(texts), profiles


def _words(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def _bounded(comments: tuple[bytes, ...], notes: list[str]) -> tuple[bytes, ...]:
    """The first comments, up to a number and a length."""
    few = comments[:_MOST_COMMENTS]
    if len(few) < len(comments):
        notes.append(f"{len(comments) - len(few):,} of {len(comments):,} comments were left out")
    return few
