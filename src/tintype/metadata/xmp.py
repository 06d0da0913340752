"""XMP packets: what is in them is kept, and what they say of size and orientation corrected.

XMP is XML from anywhere. It is parsed only up to a size and a number of elements, and not at all
where it declares a document type, so that entities neither grow nor reach for other files.
Adobe, XMP Specification Part 1 (ISO 16684-1) and Part 3 (storage in files).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

MAX_BYTES = 4 << 20
MAX_MARKS = 40_000  # of elements and attributes
_MAX_PROPERTIES = 4000
_MAX_DEPTH = 100

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_TIFF, EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_XMP, _PHOTOSHOP = "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/photoshop/1.0/"
_DC, NOTE = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/xmp/note/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMLNS = "http://www.w3.org/2000/xmlns/"
STALE = {
    *((_TIFF, name) for name in (
        "BitsPerSample", "Compression", "PhotometricInterpretation", "SamplesPerPixel",
        "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning", "TransferFunction",
        "WhitePoint", "PrimaryChromaticities", "YCbCrCoefficients", "ReferenceBlackWhite",
    )),
    (EXIF, "Gamma"), (EXIF, "CompressedBitsPerPixel"), (EXIF, "NativeDigest"),
    (_TIFF, "NativeDigest"), (_XMP, "Thumbnails"), (_PHOTOSHOP, "ICCProfile"),
    (NOTE, "HasExtendedXMP"),
}  # fmt: skip
_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)\s*([1-8])")
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_EMPTY = f'{_BEGIN}<x:xmpmeta xmlns:x="{_META}"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'


class XmpError(ValueError):
    """A packet cannot be read, or is not read for safety; the message says why."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a packet has to say of a new file: its pixels, its format, how it was turned.

    orientation: 1..8, of the old file's pixels
    """

    width: int
    height: int
    mime: str
    orientation: int = 1


def find_orientation(packet: bytes) -> int:
    """The orientation that a packet states, 1 if none."""
    found = _ORIENTATION.search(packet)
    return int(found[1]) if found else 1


class Packet:
    """A packet that can be changed: the properties of its photo, by namespace and name."""

    def __init__(self, data: bytes | None = None) -> None:
        """Parse a packet, or begin an empty one. Raises XmpError."""
        self.document = _parse(_EMPTY if data is None else _decode(data))
        found = self.document.getElementsByTagNameNS(RDF, "RDF")
        if not found:
            raise XmpError("it has no rdf:RDF")
        self.rdf = found[0]
        if sum(len(node.childNodes) for node in self._descriptions()) > _MAX_PROPERTIES:
            raise XmpError("it has too many properties")

    def merge(self, extension: bytes) -> None:
        """Add the properties of an extended packet. Raises XmpError."""
        for description in Packet(extension)._descriptions():
            self._adopt(description, description.childNodes, attributes=True)

    def get(self, namespace: str, name: str) -> str | None:
        """The text of a simple property."""
        for description in self._descriptions():
            if description.hasAttributeNS(namespace, name):
                return str(description.getAttributeNS(namespace, name))
            for child in _children(description, namespace, name):
                return "".join(n.data for n in child.childNodes if n.nodeType == n.TEXT_NODE)
        return None

    def texts(self, namespace: str, name: str) -> list[str]:
        """The texts of a property, simple or a container; empty where there is none."""
        found = []
        for description in self._descriptions():
            for child in _children(description, namespace, name):
                items = child.getElementsByTagNameNS(RDF, "li")
                found += [
                    "".join(n.data for n in i.childNodes if n.nodeType == n.TEXT_NODE)
                    for i in items
                ]
        simple = self.get(namespace, name)
        return found or ([] if simple is None else [simple])

    def set(self, namespace: str, prefix: str, name: str, value: str) -> None:
        """Set a simple property, in the place of what it was."""
        self.remove(namespace, name)
        element = self._element(namespace, prefix, name)
        element.appendChild(self.document.createTextNode(value))
        self._first().appendChild(element)

    def set_list(
        self, namespace: str, prefix: str, name: str, kind: str, values: list[str]
    ) -> None:
        """Set a property of several texts; `kind` is Bag, Seq, or Alt (one text, any language)."""
        self.remove(namespace, name)
        element = self._element(namespace, prefix, name)
        container = element.appendChild(self._element(RDF, "rdf", kind))
        for value in values:
            item = container.appendChild(self._element(RDF, "rdf", "li"))
            if kind == "Alt":
                item.setAttribute("xml:lang", "x-default")
            item.appendChild(self.document.createTextNode(value))
        self._first().appendChild(element)

    def remove(self, namespace: str, name: str) -> bool:
        """Remove a property; whether it was there."""
        was = False
        for description in self._descriptions():
            if description.hasAttributeNS(namespace, name):
                description.removeAttributeNS(namespace, name)
                was = True
            for child in list(_children(description, namespace, name)):
                description.removeChild(child)
                was = True
        return was

    def correct(self, facts: Facts) -> None:
        """Let the packet tell the truth about an upright sRGB file."""
        for namespace, name in STALE:
            self.remove(namespace, name)
        across, down = self.get(_TIFF, "XResolution"), self.get(_TIFF, "YResolution")
        if facts.orientation >= 5 and across and down:
            self.set(_TIFF, "tiff", "XResolution", down)
            self.set(_TIFF, "tiff", "YResolution", across)
        width, height = str(facts.width), str(facts.height)
        true = (
            (_TIFF, "tiff", "Orientation", "1"),
            (_TIFF, "tiff", "ImageWidth", width),
            (_TIFF, "tiff", "ImageLength", height),
            (EXIF, "exif", "PixelXDimension", width),
            (EXIF, "exif", "PixelYDimension", height),
            (EXIF, "exif", "ColorSpace", "1"),
            (_PHOTOSHOP, "photoshop", "ColorMode", "3"),
            (_DC, "dc", "format", facts.mime),
        )
        for namespace, prefix, name, value in true:
            if self.get(namespace, name) is not None:
                self.set(namespace, prefix, name, value)

    def split(self, limit: int) -> tuple[bytes, bytes]:
        """The packet, and in a second one what makes it longer than `limit`, the largest first."""
        rest, length = Packet(), len(self.encode())
        parts = [(len(c.toxml()), d, c) for d in self._descriptions() for c in _elements(d)]
        for size, description, child in sorted(parts, key=lambda part: -part[0]):
            if length <= limit:
                break
            length -= size
            rest._adopt(description, [child])
            description.removeChild(child)
        main = self.encode()
        if len(main) > limit:
            raise XmpError(f"its {len(main):,} bytes do not fit")
        return main, rest.encode(bare=True) if list(rest._descriptions()) else b""

    def encode(self, *, bare: bool = False) -> bytes:
        """The packet in UTF-8; `bare`: without the processing instructions around it."""
        nodes = [n for n in self.document.childNodes if n.nodeType == n.ELEMENT_NODE]
        text = "".join(node.toxml() for node in nodes)
        return (text if bare else f'{_BEGIN}\n{text}\n<?xpacket end="w"?>').encode()

    def _adopt(self, description: Any, children: list[Any], *, attributes: bool = False) -> None:
        """Add a copy of a description of another packet, with the prefixes that hold there."""
        copy = self.document.importNode(description, False)
        for attribute in list(copy.attributes.values()):
            if attribute.namespaceURI != RDF and not attributes:
                copy.removeAttributeNode(attribute)
        scope = description
        while scope.nodeType == scope.ELEMENT_NODE:
            for attribute in scope.attributes.values():
                if attribute.namespaceURI == _XMLNS and not copy.hasAttribute(attribute.name):
                    copy.setAttributeNS(_XMLNS, attribute.name, attribute.value)
            scope = scope.parentNode
        for child in children:
            copy.appendChild(self.document.importNode(child, True))
        self.rdf.appendChild(copy)

    def _descriptions(self) -> Iterator[Any]:
        return _children(self.rdf, RDF, "Description")

    def _first(self) -> Any:
        """The description that new properties go to."""
        found = next(self._descriptions(), None)
        if found is None:
            found = self.rdf.appendChild(self._element(RDF, "rdf", "Description"))
            found.setAttributeNS(RDF, "rdf:about", "")
        return found

    def _element(self, namespace: str, prefix: str, name: str) -> Any:
        element = self.document.createElementNS(namespace, f"{prefix}:{name}")
        element.setAttributeNS(_XMLNS, f"xmlns:{prefix}", namespace)
        return element


def clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def _decode(data: bytes) -> str:
    """The text of a packet, in whatever encoding of Unicode. Raises XmpError."""
    if len(data) > MAX_BYTES:
        raise XmpError(f"its {len(data):,} bytes are too many")
    wide = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}.get(data[:2])
    try:
        text = data.decode(wide or "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    text = text.strip("\0 \t\r\n\ufeff")
    return re.sub(r"^<\?xml[^>]*\?>", "", text)


def _parse(text: str) -> minidom.Document:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise XmpError("it declares a document type")
    if text.count("<") + text.count("=") > MAX_MARKS:
        raise XmpError("it has too many elements")
    try:
        document = minidom.parseString(text)
    except (ExpatError, ValueError) as error:
        raise XmpError(f"it is no XML: {error}") from error
    level: list[Any] = [document]
    depth = 0
    while level:
        level, depth = [child for node in level for child in node.childNodes], depth + 1
        if depth > _MAX_DEPTH:
            raise XmpError("its elements lie too deep")
    return document


def _elements(node: Any) -> Iterator[Any]:
    return (child for child in node.childNodes if child.nodeType == child.ELEMENT_NODE)


def _children(node: Any, namespace: str, name: str) -> Iterator[Any]:
    return (c for c in _elements(node) if c.namespaceURI == namespace and c.localName == name)
