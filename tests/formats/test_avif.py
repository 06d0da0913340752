"""AVIF: its clean aperture, written box by box, and that what is written can be read."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import photos
import pytest
from PIL import Image

from tintype import photo
from tintype.errors import PhotoError

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


@pytest.mark.parametrize(("size", "cut"), [((96, 80), 20), ((8, 8), 0)])
def test_an_avif_that_cannot_be_read_back_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], cut: int
) -> None:
    whole = photos.encoded(Image.fromarray(SCENE).resize(size), "AVIF")

    def save(image: Image.Image, file: BinaryIO, name: str) -> None:  # noqa: ARG001
        file.write(whole[: len(whole) - cut])

    monkeypatch.setitem(Image.SAVE, "AVIF", save)
    (tmp_path / "a.avif").write_bytes(b"older")
    for target in (tmp_path / "a.avif", io.BytesIO()):
        with pytest.raises(PhotoError, match="an AVIF that can be read back, made none"):
            photo.write(Image.new("RGB", (96, 80)), target, format="AVIF", overwrite=True)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]
