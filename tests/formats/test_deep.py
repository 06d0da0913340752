"""Luma of more than 8 bits, as it was written."""

import io
import struct
from typing import Any

import numpy as np
import photos
import pytest
import tifffile
from PIL import Image

from tintype import photo

DEEP = np.random.default_rng(0).integers(0, 65536, (24, 36), np.uint16)
RGB = np.random.default_rng(1).integers(0, 65536, (24, 36, 3), np.uint16)


def written(values: np.ndarray, **how: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **({"photometric": "minisblack"} | how))
    return file.getvalue()


@pytest.mark.parametrize(
    "source",
    [
        DEEP,
        Image.fromarray(DEEP),
        photos.encoded(Image.fromarray(DEEP), "PNG"),
        photos.encoded(Image.fromarray(DEEP), "TIFF"),
        photos.encoded(Image.fromarray(DEEP), "JPEG2000", irreversible=False),
        written(DEEP, compression="lzw"),
        written(65535 - DEEP, photometric="miniswhite"),
        written(np.dstack([DEEP, DEEP]), extrasamples=["unassalpha"], planarconfig="contig"),
        written(DEEP.astype(np.uint32) * 65537),
        written(DEEP / 65535),
    ],
)
def test_gray_keeps_every_value(source: Any) -> None:
    read = photo.read(source)
    assert read.deep is not None
    assert read.deep.dtype == np.uint16
    np.testing.assert_array_equal(read.deep, DEEP)
    assert np.abs(read.deep / 257 - read.luma).max() <= 0.51


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colors_keep_their_luma(planar: str) -> None:
    values = RGB if planar == "contig" else np.moveaxis(RGB, 2, 0)
    read = photo.read(written(values, photometric="rgb", planarconfig=planar))
    assert read.deep is not None
    assert np.abs(read.deep - RGB @ [0.299, 0.587, 0.114]).max() <= 0.51
    assert np.abs(read.deep / 257 - read.luma).max() <= 1.1


def test_it_is_turned_with_the_photo() -> None:
    file = written(np.dstack([DEEP] * 3), photometric="rgb", extratags=[(274, 3, 1, 6, True)])
    read = photo.read(file)
    assert read.deep is not None
    assert np.abs(read.deep.astype(int) - np.rot90(DEEP, -1)).max() <= 1
    assert read.deep.shape == read.luma.shape


SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [(0, (2.2,)), (1, (2.2, 1.0, 0.0)), (2, (2.2, 1.0, 0.0, 0.0)), (3, SRGB), (4, (*SRGB, 0, 0))],
)
def test_parametric_curves_are_those_of_littlecms(kind: int, parameters: tuple[float]) -> None:
    curve = b"para" + bytes(4) + struct.pack(">HH", kind, 0)
    curve += struct.pack(f">{len(parameters)}i", *(round(65536 * value) for value in parameters))
    plain = photos.icc("GRAY", 2.2)
    place = plain.index(b"kTRC")
    size = struct.pack(">4sII", b"kTRC", len(plain), len(curve))
    profile = plain[:place] + size + plain[place + 12 :] + curve
    profile = struct.pack(">I", len(profile)) + profile[4:]
    read = photo.read(written(DEEP, iccprofile=profile))
    assert read.deep is not None
    in_8_bits = photo.read(written((DEEP >> 8).astype(np.uint8), iccprofile=profile)).luma
    assert np.abs(read.deep / 257 - in_8_bits).max() <= 3


@pytest.mark.parametrize("space", ["GRAY", "RGB"])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_a_gray_profile_s_curve_is_done_in_16_bits(space: str, gamma: float) -> None:
    linear = (DEEP / 65535) ** (round(gamma * 256) / 256)
    wanted = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    profile = photos.icc(space, gamma)
    for file in (written(DEEP, iccprofile=profile),
                 photos.encoded(Image.fromarray(DEEP), "PNG", icc_profile=profile)):  # fmt: skip
        read = photo.read(file)
        assert read.deep is not None
        assert np.abs(read.deep - 65535 * wanted).max() <= 1
        assert np.abs(read.deep / 257 - read.luma).max() <= 0.51


def test_colors_in_a_profile_keep_their_luma() -> None:
    for how in ({}, {"compression": "lzw"}):
        read = photo.read(written(RGB, photometric="rgb", iccprofile=photos.icc("RGB", 1.8), **how))
        assert read.deep is not None
        assert np.abs(read.deep / 257 - read.luma).max() <= 1.6


def test_eight_bits_have_none() -> None:
    for source in (photos.gradient(), photos.encoded(Image.fromarray(photos.scene()), "TIFF")):
        assert photo.read(source).deep is None
        assert photo.read(source).bits == 8
    assert photo.read(DEEP).shrunk(8).deep is None
