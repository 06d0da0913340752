"""A photo and its colors as layers, which image editors keep apart.

    gray photo ─┬─ below                    ┐
    colors ─────┴─ above, blend mode Color  ├─save─▶ TIFF, with the colored photo for all others
                                            ┘
Blend mode Color takes luma from below, hue and chroma from above (W3C, Compositing and Blending
Level 1, 9.3). Layers lie in a tag of their own (Adobe, Photoshop TIFF Technical Notes, 2002).
"""

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from tintype.formats import deep
from tintype.metadata import Embedding

Bytes = npt.NDArray[np.uint8]

_LAYERS = 37724  # ImageSourceData
_PLACE = (_LAYERS, 7, 8, bytes(8), True)  # until all else is in its place


@dataclass(frozen=True, slots=True, eq=False)
class Layered:
    """A colored photo whose colors are a layer over the gray one.

    image: RGB, the colored photo
    luma: (H, W), 0..255
    alpha: (H, W), 0 transparent .. 255 opaque, or None if all is opaque
    cover: (H, W), the same of the colors
    """

    image: Image.Image
    luma: Bytes
    alpha: Bytes | None
    cover: Bytes

    mode = "RGB"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.size


def save(photo: Layered, file: BinaryIO, embedding: Embedding) -> None:
    """Write a TIFF with metadata: the colored photo, and two layers that make it.

    Raises ValueError where it would be larger than a TIFF can be.
    """
    values = np.asarray(photo.image)
    if photo.alpha is not None:
        values = np.dstack([values, photo.alpha])
    deep.save_tiff(file, values, embedding, [_PLACE])
    embedding.finish(file)  # which keeps no tags of that size
    _attach(file, _encode(photo))


def _encode(photo: Layered) -> bytes:
    """The tag of the layers, little-endian as the file."""
    import psdtags  # a tenth of a second

    place = psdtags.PsdRectangle(0, 0, *photo.luma.shape)
    kinds = psdtags.PsdChannelId

    def make(name: str, mode: psdtags.PsdBlendMode, **planes: Bytes) -> psdtags.PsdLayer:
        channels = [
            psdtags.PsdChannel(kinds[kind], psdtags.PsdCompressionType.ZIP, np.asarray(plane))
            for kind, plane in planes.items()
        ]
        shown = psdtags.PsdLayerFlag.PHOTOSHOP5
        return psdtags.PsdLayer(name, channels, place, blendmode=mode, flags=shown)

    red, green, blue = map(np.asarray, photo.image.split())
    opaque = np.full_like(photo.luma, 255) if photo.alpha is None else photo.alpha
    gray = dict.fromkeys(("CHANNEL0", "CHANNEL1", "CHANNEL2"), photo.luma)
    modes = psdtags.PsdBlendMode
    layers = [
        make("Photo", modes.NORMAL, TRANSPARENCY_MASK=opaque, **gray),
        make(
            "Colors", modes.COLOR, TRANSPARENCY_MASK=photo.cover,
            CHANNEL0=red, CHANNEL1=green, CHANNEL2=blue,
        ),
    ]  # fmt: skip
    found = psdtags.PsdLayers(
        psdtags.PsdKey.LAYER, layers, has_transparency=photo.alpha is not None
    )
    source = psdtags.TiffImageSourceData(psdtags.PsdFormat.LE32BIT, found, psdtags.PsdUserMask())
    return bytes(source.tobytes())


def _attach(file: BinaryIO, value: bytes) -> None:
    """Give the tag that has a place in a little-endian TIFF's directory its value."""
    end = file.seek(0, io.SEEK_END)
    end += end % 2
    if end + len(value) >= 1 << 32:
        raise ValueError(f"expected at most 4 GiB, found {end + len(value):,} bytes")
    file.seek(4)
    (at,) = struct.unpack("<I", file.read(4))
    file.seek(at)
    (count,) = struct.unpack("<H", file.read(2))
    for _ in range(count):
        here = file.tell()
        if struct.unpack("<H", file.read(12)[:2]) == (_LAYERS,):
            file.seek(here)
            file.write(struct.pack("<HHII", _LAYERS, 7, len(value), end))
            break
    file.seek(end)
    file.write(value)
