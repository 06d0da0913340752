"""What a file says about its photo, kept on the way out: EXIF, XMP, IPTC, texts and dpi.

    file ──read──▶ Metadata ──embed──▶ file of any of five formats

What is broken is left out alone and noted, for it must cost neither the photo nor the rest.
"""

from tintype.metadata.embed import Embedding, embed
from tintype.metadata.read import Metadata, read, read_directory

__all__ = ["Embedding", "Metadata", "embed", "read", "read_directory"]
