"""Saving: large JPEGs store a quarter of the chroma, everything else all of it."""

import io
from pathlib import Path

import numpy as np
import photos
import pytest
from PIL import Image
from skimage import data

from tintype import photo
from tintype.bins import OKLAB
from tintype.palette import Palette
from tintype.result import Result
from tintype.upsample import HALVED_PIXELS


def enlarge(rows: int, columns: int) -> np.ndarray:
    """The luma of a photo, with the grain of a scan."""
    image = Image.fromarray(photos.luma_of(data.coffee())).resize((columns, rows))
    grain = np.random.default_rng(0).normal(0, 3, (rows, columns))
    return (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)


def color(luma: np.ndarray, strength: float = 1, border: np.ndarray | None = None) -> Result:
    """The photo's own colors, made small, on a luma of any size."""
    planes = Image.fromarray(data.coffee()).convert("YCbCr").split()[1:]
    small = [np.asarray(p.resize((48, 32), Image.Resampling.BOX), np.float32) for p in planes]
    chroma = strength * (np.stack(small) - 128)
    palette = Palette.of_chroma(OKLAB, np.zeros((1, 1, 2)))  # not that of the photo
    return Result(photo.read(luma), chroma, palette, threads=1, border=border)


def sampling(content: bytes | Path) -> list[tuple[int, int]]:
    with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content) as image:
        return [layer[1:3] for layer in image.layer]


def test_only_jpegs_of_two_megapixels_and_more_halve_chroma(tmp_path: Path) -> None:
    columns = 1600
    rows = -(-HALVED_PIXELS // columns)
    large, small = color(enlarge(rows, columns)), color(enlarge(rows - 1, columns))
    large.save(tmp_path / "large.jpg")
    small.save(tmp_path / "small.jpg")
    stream = io.BytesIO()
    large.save(stream, format="JPEG", quality=90)
    for content in (tmp_path / "large.jpg", stream.getvalue()):
        assert sampling(content) == [(2, 2), (1, 1), (1, 1)]
    assert sampling(tmp_path / "small.jpg") == [(1, 1)] * 3
    large.save(tmp_path / "large.png")
    np.testing.assert_array_equal(photo.read_rgb(tmp_path / "large.png"), large.image)


@pytest.mark.parametrize("strength", [1, 3])
def test_a_large_jpeg_keeps_the_luma_that_one_of_all_chroma_keeps(strength: float) -> None:
    luma = enlarge(1201, 1801)
    result = color(luma, strength)

    def kept(buffer: io.BytesIO) -> float:
        return float((np.abs(photo.read(buffer).luma.astype(int) - luma) <= 1).mean())

    halved, whole = io.BytesIO(), io.BytesIO()
    result.save(halved, format="JPEG")
    photo.write(result.planes, whole, format="JPEG")
    assert sampling(whole.getvalue()) == [(1, 1)] * 3
    assert kept(halved) >= max(0.985, kept(whole))
    difference = photo.read_rgb(halved).astype(int) - photo.read_rgb(whole)
    assert np.abs(difference).mean() < (1 if strength == 1 else 4)


def test_a_border_stays_neutral_in_a_large_jpeg() -> None:
    luma = enlarge(1200, 1800)
    border = np.zeros((32, 48), bool)
    border[:4] = True
    buffer = io.BytesIO()
    color(luma, border=border).save(buffer, format="JPEG")
    rgb = photo.read_rgb(buffer).astype(int)
    assert np.ptp(rgb[:120], axis=-1).max() <= 2
    assert np.ptp(rgb[300:], axis=-1).mean() > 20
