"""JPEGs of planes, with a quarter of the chroma (4:2:0).

    luma (H, W), cb, cr (H/2, W/2) ──a strip──▶ a JPEG by Pillow ──scan──▶ one JPEG of all strips

Pillow takes no planes of two sizes, only an image with all of them at full size. Made strip by
strip, it stays in the processor's cache, and no more of it is held at a time. Strips become one
file as restart intervals, at whose ends an encoder begins anew (ITU-T T.81, B.2.4.4 and E.1.4).
"""

import io
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes = npt.NDArray[np.uint8]

STRIP_PIXELS = 1 << 21
_MOST = 65_500  # pixels of a side, as in libjpeg
_UNIT = 16  # pixels of a side of which a file holds the blocks together
_FRAME, _SCAN, _INTERVAL, _RESTART, _END = 0xC0, 0xDA, 0xDD, 0xD0, b"\xff\xd9"


@dataclass(frozen=True, slots=True, eq=False)
class Halved:
    """A photo of which every 2 x 2 pixels share their chroma.

    luma: (H, W), 0..255
    cb, cr: half of that size, rounded up, 0..255 centered on 128
    """

    luma: Bytes
    cb: Bytes
    cr: Bytes

    mode = "YCbCr"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.luma.shape[1], self.luma.shape[0]

    def merge(self, part: slice = slice(None)) -> Image.Image:
        """Full-size YCbCr of some rows, from an even one on: its means of 2 x 2 are the chroma."""
        luma = self.luma[part]
        first = (part.start or 0) // 2
        rows = slice(first, first + (len(luma) + 1) // 2)
        planes = (luma, *(_double(plane[rows], luma.shape) for plane in (self.cb, self.cr)))
        return Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes])


def save(photo: Halved, file: BinaryIO, options: dict[str, Any]) -> None:
    """Write a JPEG.

    options: what Pillow's `save` takes
    Raises ValueError for a side that no JPEG holds, and OSError.
    """
    width, height = photo.size
    if max(width, height) > _MOST:
        raise ValueError(f"expected at most {_MOST} pixels a side, found {width} x {height}")
    rows = max(1, STRIP_PIXELS // width // _UNIT) * _UNIT
    units = -(-width // _UNIT) * rows // _UNIT
    options = options | {"format": "JPEG", "subsampling": "4:2:0"}
    for number, top in enumerate(range(0, height, rows)):
        buffer = io.BytesIO()
        photo.merge(slice(top, min(top + rows, height))).save(buffer, **options)
        content = buffer.getvalue()
        frame, scan, data = _find_parts(content)
        if number:
            file.write(bytes([0xFF, _RESTART + (number - 1) % 8]) + content[data : -len(_END)])
        else:
            head = content[: frame + 5] + height.to_bytes(2, "big") + content[frame + 7 : scan]
            interval = bytes([0xFF, _INTERVAL, 0, 4]) + units.to_bytes(2, "big")
            file.write(head + interval + content[scan : -len(_END)])
    file.write(_END)


def _find_parts(content: bytes) -> tuple[int, int, int]:
    """Where in a JPEG the frame's head, the scan's head and its data begin."""
    place = frame = 2
    while (mark := content[place + 1]) != _SCAN:
        frame = place if mark == _FRAME else frame
        place += 2 + _read_length(content, place)
    return frame, place, place + 2 + _read_length(content, place)


def _read_length(content: bytes, place: int) -> int:
    """The length of the segment at a place."""
    return int.from_bytes(content[place + 2 : place + 4], "big")


def _double(plane: Bytes, shape: tuple[int, ...]) -> Bytes:
    """Each value four times, (h, w) -> (H, W) of twice the size, or one less."""
    rows = np.empty((len(plane), 2, plane.shape[1]), np.uint16)
    rows[:] = (plane.astype(np.uint16) * np.uint16(257))[:, None]
    return rows.view(np.uint8).reshape(2 * len(plane), -1)[: shape[0], : shape[1]]
