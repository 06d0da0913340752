"""Metadata as each of the five formats holds them.

        EXIF       XMP              IPTC, resources            comments and texts
JPEG    APP1       APP1, extended   APP13                      COM
PNG     eXIf       iTXt             zTXt (as ImageMagick)      tEXt, iTXt
TIFF    IFDs       tag 700          tags 33723 and 34377       EXIF UserComment
WebP    EXIF       XMP              as XMP                     EXIF UserComment
AVIF    Exif       XMP              as XMP                     EXIF UserComment
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import PngImagePlugin

from tintype.metadata import exif as exif_
from tintype.metadata import photoshop, regions, xmp
from tintype.metadata.exif import Exif, Tag
from tintype.metadata.extract import Metadata, Text
from tintype.metadata.iptc import add_iptc
from tintype.metadata.provenance import Provenance

_SEGMENT = 65_533  # bytes that a segment of a JPEG holds
_XMP_HEAD, _EXTENSION_HEAD = (
    b"http://ns.adobe.com/xap/1.0/\0",
    b"http://ns.adobe.com/xmp/extension/\0",
)
_MOST_INFLATED = 131_072  # letters of a compressed text that Exiv2 reads
_MIME = {
    "JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "WEBP": "image/webp",
    "AVIF": "image/avif",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Embedding:
    """Metadata ready for a file: what Pillow's `save` gets, and tags for a TIFF written by it."""

    options: dict[str, Any]
    tags: Exif | None = None

    def finish(self, file: BinaryIO) -> None:
        """Add what Pillow cannot write to a file that it has written."""
        if self.tags:
            exif_.extend(file, self.tags)


def embed(
    metadata: Metadata,
    format: str,
    size: tuple[int, int],
    notes: list[str],
    provenance: Provenance | None = None,
) -> Embedding:
    """Make a photo's metadata ready for an upright file of `size` in a format.

    notes: gets a line for each thing that the format cannot hold
    provenance: what the file says of itself, if anything
    """
    try:
        return _embed(metadata, format, size, notes, provenance)
    except Exception as error:  # whatever odd bytes provoke: they must not cost the photo
        if metadata == Metadata():
            raise
        notes.append(f"metadata were left out: {error or type(error).__name__}")
        return _embed(Metadata(), format, size, notes, provenance)


def _embed(
    metadata: Metadata,
    format: str,
    size: tuple[int, int],
    notes: list[str],
    provenance: Provenance | None,
) -> Embedding:
    """The same, where nothing is odd."""
    tags = metadata.exif.correct(size, across=metadata.across)
    resources = photoshop.describe(metadata.resources, across=metadata.across)
    packet = _packet(metadata, xmp.Facts(*size, _MIME[format], metadata.orientation), notes)
    if provenance is not None:
        packet = packet or xmp.Packet()
        provenance.stamp(packet)
    if format in ("WEBP", "AVIF"):
        packet = add_iptc(packet, photoshop.iptc_of(resources), notes)
        if any(one.number not in photoshop.NEEDLESS for one in resources):
            notes.append("Photoshop's resources were left out: this format has no place for them")
    if format in ("TIFF", "WEBP", "AVIF"):
        tags, packet = _add_comments(tags, packet, metadata, notes)
    data = None if packet is None else packet.encode()
    dpi: dict[str, Any] = {"dpi": metadata.dpi} if metadata.dpi else {}
    if format == "JPEG":
        extra = _segments(metadata, tags, packet, resources, notes)
        return Embedding(dpi | ({"extra": extra} if extra else {}))
    if format == "PNG":
        tags = exif_.settle(tags, notes, movable=False)
        block = {"exif": exif_.encode(tags)} if tags else {}
        chunks = _chunks(metadata, data, resources)
        return Embedding(dpi | block | ({"pnginfo": chunks} if chunks.chunks else {}))
    if format == "TIFF":
        return Embedding(dpi, _tiff_tags(tags, data, resources, notes))
    if metadata.dpi:
        across, down = metadata.dpi
        unit = tags.short(exif_.RESOLUTION_UNIT, 2)
        sides = (exif_.X_RESOLUTION, across), (exif_.Y_RESOLUTION, down)
        tags = tags.with_main(*(tags.rational(*side) for side in sides), unit)
    if format == "AVIF":
        tags = tags.without(exif_.ORIENTATION)  # Pillow would write all tags anew
    tags = exif_.settle(tags, notes, movable=False)
    options: dict[str, Any] = {"exif": exif_.encode(tags)} if tags else {}
    return Embedding(options | ({"xmp": data} if data else {}))


def _packet(metadata: Metadata, facts: xmp.Facts, notes: list[str]) -> xmp.Packet | None:
    """The corrected packet, all in one; None where there is none to be trusted."""
    if metadata.xmp is None:
        return None
    try:
        packet = xmp.Packet(metadata.xmp)
    except xmp.XmpError as error:
        notes.append(f"XMP was left out: {error}")
        return None
    if metadata.xmp_extension is not None:
        try:
            packet.merge(metadata.xmp_extension)
        except xmp.XmpError as error:
            notes.append(f"extended XMP was left out: {error}")
    packet.correct(facts)
    if facts.orientation != 1:
        regions.turn(packet.rdf, facts.orientation, (facts.width, facts.height))
        left_out = [packet.remove(*name) for name in regions.OTHERS]
        if any(left_out):
            notes.append("regions were left out: the photo was turned upright, they are not")
    return packet


def _segments(
    metadata: Metadata,
    tags: Exif,
    packet: xmp.Packet | None,
    resources: tuple[photoshop.Resource, ...],
    notes: list[str],
) -> bytes:
    """The segments of a JPEG: EXIF, XMP, Photoshop's resources, comments."""
    parts = []
    tags = exif_.settle(tags, notes, movable=False, limit=_SEGMENT - len(exif_.HEADER))
    if tags:
        parts.append((0xE1, exif_.HEADER + exif_.encode(tags)))
    if packet is not None:
        try:
            parts += _xmp_segments(packet)
        except xmp.XmpError as error:
            notes.append(f"XMP was left out: {error}")
    block, size = photoshop.encode(resources), _SEGMENT - len(photoshop.SIGNATURE)
    for at in range(0, len(block), size):
        parts.append((0xED, photoshop.SIGNATURE + block[at : at + size]))
    for comment in (*metadata.comments, *(_line(text).encode() for text in metadata.texts)):
        if len(comment) > _SEGMENT:
            notes.append(f"a comment was cut: {len(comment):,} bytes do not fit")
        parts.append((0xFE, comment[:_SEGMENT]))
    return b"".join(struct.pack(">BBH", 0xFF, mark, len(data) + 2) + data for mark, data in parts)


def _xmp_segments(packet: xmp.Packet) -> list[tuple[int, bytes]]:
    """A packet in one segment, or with the rest in further ones. Raises XmpError."""
    limit = _SEGMENT - len(_XMP_HEAD)
    if len(whole := packet.encode()) <= limit:
        return [(0xE1, _XMP_HEAD + whole)]
    _, extension = packet.split(limit - 512)
    guid = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper()
    packet.set(xmp.NOTE, "xmpNote", "HasExtendedXMP", guid)
    parts, size = [(0xE1, _XMP_HEAD + packet.encode())], 65_000
    for at in range(0, len(extension), size):
        head = guid.encode() + struct.pack(">II", len(extension), at)
        parts.append((0xE1, _EXTENSION_HEAD + head + extension[at : at + size]))
    return parts


def _chunks(
    metadata: Metadata, data: bytes | None, resources: tuple[photoshop.Resource, ...]
) -> PngImagePlugin.PngInfo:
    """The chunks of a PNG: XMP, IPTC and resources, texts."""
    chunks = PngImagePlugin.PngInfo()
    if data is not None:
        chunks.add_itxt("XML:com.adobe.xmp", data)
    if resources:
        block = photoshop.encode(resources)
        rows = "\n".join(block[at : at + 36].hex() for at in range(0, len(block), 36))
        profile = f"\niptc\n{len(block):8}\n{rows}\n"
        chunks.add_text("Raw profile type iptc", profile, zip=len(profile) < _MOST_INFLATED)
    for text in metadata.texts:
        if text.language is None:
            chunks.add_text(text.keyword, text.value, zip=len(text.value) > 1024)
        else:
            chunks.add_itxt(text.keyword, text.value, text.language, text.translated or "")
    for comment in metadata.comments:
        chunks.add_text("Comment", _decode(comment).replace("\0", ""))
    return chunks


def _tiff_tags(
    tags: Exif, data: bytes | None, resources: tuple[photoshop.Resource, ...], notes: list[str]
) -> Exif:
    """All that goes into the directory of a TIFF, XMP and IPTC as tags."""
    resolution = (exif_.X_RESOLUTION, exif_.Y_RESOLUTION, exif_.RESOLUTION_UNIT)
    tags = exif_.settle(tags.without(*resolution), notes, movable=True)
    others = tuple(one for one in resources if one.number != photoshop.IPTC)
    own = {
        exif_.XMP: (1, data),
        exif_.IPTC: (7, photoshop.iptc_of(resources)),
        exif_.PHOTOSHOP: (1, photoshop.encode(others)),
    }
    more = (Tag(n, kind, len(value), value) for n, (kind, value) in own.items() if value)
    return tags.with_main(*more)


def _add_comments(
    tags: Exif, packet: xmp.Packet | None, metadata: Metadata, notes: list[str]
) -> tuple[Exif, xmp.Packet | None]:
    """Comments and texts of another format as the user's comment, of EXIF or of XMP."""
    lines = [_decode(comment) for comment in metadata.comments]
    lines += [_line(text) for text in metadata.texts]
    text = "\n".join(lines)
    if not text:
        return tags, packet
    found = tags.find(exif_.USER_COMMENT)
    if found is None or not found.value[8:].strip(b"\0 "):
        if text.isascii():
            value = b"ASCII\0\0\0" + text.encode()
        else:
            value = b"UNICODE\0" + text.encode("utf-16-le" if tags.order == "<" else "utf-16-be")
        return tags.with_photo(Tag(exif_.USER_COMMENT, 7, len(value), value)), packet
    packet = packet or xmp.Packet()
    if packet.texts(xmp.EXIF, "UserComment"):
        notes.append("comments were left out: EXIF and XMP have others")
    else:
        packet.set_list(xmp.EXIF, "exif", "UserComment", "Alt", [xmp.clean(text)])
    return tags, packet


def _line(text: Text) -> str:
    """A text of a PNG as a comment."""
    return text.value if text.keyword == "Comment" else f"{text.keyword}: {text.value}"


def _decode(comment: bytes) -> str:
    """The text of a comment, whose encoding no format states."""
    try:
        return comment.decode().rstrip("\0")
    except UnicodeDecodeError:
        return comment.decode("latin-1").rstrip("\0")
