"""Photoshop's image resources, one of which is IPTC (IIM 4.2), as bytes and as a list.

Adobe, Photoshop File Formats Specification, "Image Resource Blocks"; in JPEG they lie in APP13.
"""

import struct
from dataclasses import dataclass, replace

SIGNATURE = b"Photoshop 3.0\0"
IPTC = 1028
_RESOLUTION = 1005
# Thumbnails, what belongs to the old pixels (channels, profile), and copies of EXIF and XMP.
STALE = {1006, 1033, 1036, 1039, 1041, 1045, 1053, 1058, 1059, 1060, 1066, 1067}
_DIGEST = 1061  # of the IPTC block, by which programs see that others changed it
# What other formats say elsewhere: IPTC by XMP, resolution by EXIF, and the digest of IPTC.
NEEDLESS = {IPTC, _RESOLUTION, _DIGEST}
_SIGNATURES = (b"8BIM", b"MeSa", b"AgHg", b"PHUT")  # the others are of other programs
_PREVIEW = {(2, 200), (2, 201), (2, 202)}


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its number, its name (a Pascal string's bytes), its data."""

    number: int
    name: bytes
    data: bytes


def parse(block: bytes) -> tuple[Resource, ...]:
    """The resources of a block, up to the first that is broken."""
    found, at = [], 0
    while block[at : at + 4] in _SIGNATURES and at + 12 <= len(block):
        ours = block[at : at + 4] == b"8BIM"
        number, length = struct.unpack_from(">HB", block, at + 4)
        name = block[at + 7 : at + 7 + length]
        at += 7 + length + (length + 1) % 2
        if at + 4 > len(block):
            break
        size = struct.unpack_from(">I", block, at)[0]
        data = block[at + 4 : at + 4 + size]
        if len(data) < size:
            break
        if ours:
            found.append(Resource(number, name, data))
        at += 4 + size + size % 2
    return tuple(found)


def encode(resources: tuple[Resource, ...]) -> bytes:
    """The block of these resources."""
    parts = []
    for one in resources:
        name = bytes([len(one.name)]) + one.name + bytes((len(one.name) + 1) % 2)
        data = struct.pack(">I", len(one.data)) + one.data + bytes(len(one.data) % 2)
        parts.append(b"8BIM" + struct.pack(">H", one.number) + name + data)
    return b"".join(parts)


def describe(resources: tuple[Resource, ...], *, across: bool) -> tuple[Resource, ...]:
    """What describes the photo and is true of an upright one; `across`: sides changed places."""
    kept, stale = [], STALE
    for one in resources:
        if one.number == IPTC:
            data = _without_preview(one.data)
            stale = stale if data == one.data else stale | {_DIGEST}
            one = replace(one, data=data)
        elif one.number == _RESOLUTION and across and len(one.data) == 16:
            one = replace(one, data=one.data[8:] + one.data[:8])
        kept.append(one)
    return tuple(one for one in kept if one.number not in stale)


def iptc_of(resources: tuple[Resource, ...]) -> bytes | None:
    """The IPTC block among them."""
    return next((one.data for one in resources if one.number == IPTC), None)


def datasets(iptc: bytes) -> list[tuple[int, int, bytes, bytes]]:
    """Record, number, value and all bytes of each data set, up to the first that is broken."""
    found, at = [], 0
    while at + 5 <= len(iptc) and iptc[at] == 0x1C:
        record, number, size = struct.unpack_from(">BBH", iptc, at + 1)
        start = at + 5
        if size & 0x8000:  # the length of the length follows
            width = size & 0x7FFF
            size = int.from_bytes(iptc[start : start + width], "big") if width <= 8 else len(iptc)
            start += width
        if start + size > len(iptc):
            break
        found.append((record, number, iptc[start : start + size], iptc[at : start + size]))
        at = start + size
    return found


def _without_preview(iptc: bytes) -> bytes:
    """The same block without the small picture that it may hold."""
    sets = datasets(iptc)
    if not any((record, number) in _PREVIEW for record, number, _, _ in sets):
        return iptc
    return b"".join(all for record, number, _, all in sets if (record, number) not in _PREVIEW)
