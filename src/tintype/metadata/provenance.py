"""What a colored file says of itself: that its colors are computed, by what, and by which recipe.

IPTC Photo Metadata Standard 2023.1, "Digital Source Type", and the vocabulary of that name.
"""

import json
from dataclasses import dataclass

from tintype.metadata import xmp
from tintype.version import __version__

NAMESPACE = "urn:tintype:xmp:1:"  # of what no standard has a property for
_XMP, _IPTC = "http://ns.adobe.com/xap/1.0/", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED, ALGORITHMIC = "compositeWithTrainedAlgorithmicMedia", "algorithmicallyEnhanced"
_TOOL = "Tintype"


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a picture was colored: by the recipe (JSON) of a trained model, or by none (None)."""

    recipe: str | None

    def stamp(self, packet: xmp.Packet) -> None:
        """Say it in a packet; what another program said in the same place is kept beside it."""
        kind = SOURCE_TYPES + (ALGORITHMIC if self.recipe is None else TRAINED)
        own = (
            (_XMP, "xmp", "CreatorTool", f"{_TOOL} {__version__}"),
            (_IPTC, "Iptc4xmpExt", "DigitalSourceType", kind),
        )
        again = (packet.get(_XMP, "CreatorTool") or "").startswith(_TOOL)
        for namespace, prefix, name, value in own:
            before = packet.get(namespace, name)
            if before and not again:
                packet.set(NAMESPACE, "tintype", f"Source{name}", before)
            packet.set(namespace, prefix, name, value)
        packet.remove(NAMESPACE, "Recipe")
        if self.recipe is not None:
            compact = json.dumps(json.loads(self.recipe), separators=(",", ":"))
            packet.set(NAMESPACE, "tintype", "Recipe", compact)


def find_recipe(packets: list[bytes]) -> str | None:
    """The recipe in a picture's packets of XMP, as JSON; None where there is none."""
    found = (xmp.Packet(packet).get(NAMESPACE, "Recipe") for packet in packets)
    return next(filter(None, found), None)
