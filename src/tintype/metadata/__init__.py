"""What a file says about its photo, kept on the way out: EXIF, XMP, IPTC, texts and dpi.

    file ──read──▶ Metadata ──embed──▶ file of any of five formats

What is broken is left out alone and noted, for it must cost neither the photo nor the rest.
"""

from tintype.metadata.embed import Embedding, embed
from tintype.metadata.extract import Metadata, find_xmp, read, read_directory
from tintype.metadata.provenance import Provenance, find_recipe

__all__ = [
    "Embedding",
    "Metadata",
    "Provenance",
    "embed",
    "find_recipe",
    "find_xmp",
    "read",
    "read_directory",
]
