"""The clean aperture of AVIF, written box by box."""

import struct
from collections.abc import Iterator

import numpy as np
import photos
import pytest
from PIL import Image

from tintype import photo

SCENE = photos.scene(96, 80)


def split(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + length]
        at += length


def join(boxes: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(struct.pack(">I", len(body) + 8) + kind + body for kind, body in boxes)


def add_aperture(file: bytes, width: int, height: int, across: int, down: int) -> bytes:
    """An AVIF of one item with a clap; its metadata move to the end, so that no offset changes."""
    clap = struct.pack(">4IiIiI", width, 1, height, 1, across, 2, down, 2)
    boxes = list(split(file))
    meta = dict(boxes)[b"meta"]
    inner = dict(split(meta[4:]))
    parts = dict(split(inner[b"iprp"]))
    number = len(list(split(parts[b"ipco"]))) + 1
    parts[b"ipco"] += join([(b"clap", clap)])
    ipma = parts[b"ipma"]
    assert ipma[:8] == struct.pack(">II", 0, 1)
    parts[b"ipma"] = ipma[:10] + bytes([ipma[10] + 1]) + ipma[11:] + bytes([0x80 | number])
    inner[b"iprp"] = join(list(parts.items()))
    new = (b"meta", meta[:4] + join(list(inner.items())))
    return join([(b"free" if kind == b"meta" else kind, body) for kind, body in boxes] + [new])


@pytest.mark.parametrize("orientation", [1, 6])
def test_what_lies_outside_is_cropped_before_turning(orientation: int) -> None:
    exif = photos.exif(orientation)
    file = photos.encoded(Image.fromarray(SCENE), "AVIF", quality=95, exif=exif)
    whole = photo.read(file).luma
    cropped = photo.read(add_aperture(file, 40, 30, -16, 10)).luma
    left, top = (96 - 40) // 2 - 8, (80 - 30) // 2 + 5
    upright = whole if orientation == 1 else np.rot90(whole, 1)
    wanted = upright[top : top + 30, left : left + 40]
    wanted = wanted if orientation == 1 else np.rot90(wanted, -1)
    np.testing.assert_array_equal(cropped, wanted)


@pytest.mark.parametrize("clap", [(0, 30, 0, 0), (400, 30, 0, 0), (40, 30, 500, 0)])
def test_an_aperture_outside_of_the_picture_is_ignored(clap: tuple[int, int, int, int]) -> None:
    file = photos.encoded(Image.fromarray(SCENE), "AVIF")
    assert photo.read(add_aperture(file, *clap)).size == (96, 80)
