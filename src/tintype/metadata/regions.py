"""Regions of a photo in XMP, faces above all: turned as the photo is turned upright.

Metadata Working Group, Guidelines for Handling Image Metadata 2.0, section 5.9: the center and the
size of an area, in shares of the picture as it is stored. Microsoft's are a corner and a size.
"""

from collections.abc import Iterator
from typing import Any

from tintype.metadata.xmp import RDF

_MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
_AREA = "http://ns.adobe.com/xmp/sType/Area#"
_DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_MICROSOFT = "http://ns.microsoft.com/photo/1.2/t/Region#"
# Of others, which say them in too many ways: left out of a photo that is turned.
OTHERS = (
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "ImageRegion"),
    ("http://ns.acdsee.com/regions/", "Regions"),
)

Area = tuple[float, float, float, float]  # center and size, 0..1


def turn(rdf: Any, orientation: int, size: tuple[int, int]) -> None:
    """Turn the regions of a packet's rdf:RDF.

    orientation: 1..8, of the old file's pixels; size: of the upright photo. Regions that were made
    for the upright size already, as some programs do, and what makes no sense, stay.
    """
    for regions in rdf.getElementsByTagNameNS(_MWG, "Regions"):
        if regions.parentNode.parentNode is not rdf:
            continue  # in another's
        sides = regions.getElementsByTagNameNS(_MWG, "AppliedToDimensions")[:1]
        values = _values(sides[0], _DIMENSIONS) if sides else {}
        w, h = values.get("w"), values.get("h")
        if orientation >= 5 and w and h:
            if size[0] != size[1] and (w.nodeValue, h.nodeValue) == tuple(map(str, size)):
                return
            w.nodeValue, h.nodeValue = h.nodeValue, w.nodeValue
        for area in regions.getElementsByTagNameNS(_MWG, "Area"):
            values = _values(area, _AREA)
            names = [name for name in ("x", "y", "w", "h") if name in values]
            found = _floats([values[name].nodeValue for name in names])
            if names[:2] == ["x", "y"] and len(found) in (2, 4):
                turned = _turn((found[0], found[1], *(found[2:] or (0.0, 0.0))), orientation)
                for name, value in zip(names, turned, strict=False):
                    values[name].nodeValue = f"{value:.6g}"
    for node in rdf.getElementsByTagNameNS(RDF, "li"):
        rectangle = _values(node, _MICROSOFT).get("Rectangle")
        found = [] if rectangle is None else _floats(rectangle.nodeValue.split(","))
        if rectangle is not None and len(found) == 4:
            x, y, wide, high = found
            x, y, wide, high = _turn((x + wide / 2, y + high / 2, wide, high), orientation)
            corner = (x - wide / 2, y - high / 2, wide, high)
            rectangle.nodeValue = ", ".join(f"{value:.6g}" for value in corner)


def _turn(area: Area, orientation: int) -> Area:
    """Where an area of the stored picture lies in the upright one (TIFF 6.0, Orientation)."""
    x, y, w, h = area
    if orientation >= 5:
        x, y, w, h = y, x, h, w
    if orientation in (2, 3, 6, 7):
        x = 1 - x
    if orientation in (3, 4, 7, 8):
        y = 1 - y
    return x, y, w, h


def _values(node: Any, namespace: str) -> dict[str, Any]:
    """The nodes that hold the values of a structure, by name: attributes, or texts of elements."""
    children = list(_elements(node))
    found = {}
    for one in [node, *children, *(inner for child in children for inner in _elements(child))]:
        for attribute in one.attributes.values():
            if attribute.namespaceURI == namespace:
                found[attribute.localName] = attribute
        first = one.firstChild
        if one.namespaceURI == namespace and first is not None and first.nodeType == one.TEXT_NODE:
            found[one.localName] = first
    return found


def _elements(node: Any) -> Iterator[Any]:
    return (child for child in node.childNodes if child.nodeType == child.ELEMENT_NODE)


def _floats(texts: list[str]) -> list[float]:
    """Numbers of 0 to 1; none where one is another."""
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return []
    return numbers if all(0 <= number <= 1 for number in numbers) else []
