"""What PNG says about its colors, by numbers from the standards."""

import struct
import zlib

import numpy as np
import photos
import pytest
from PIL import Image

from tintype import photo

RAMP = np.arange(256, dtype=np.uint8).reshape(8, 32)


def add_chunks(file: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with chunks after its head."""
    extra = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return file[:33] + extra + file[33:]


def png(values: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    return add_chunks(photos.encoded(Image.fromarray(values), "PNG"), *chunks)


def gamma(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(100_000 * value))


@pytest.mark.parametrize("value", [1.0, 1 / 1.8, 0.25])
def test_gamma_is_that_of_libpng_on_a_usual_display(value: float) -> None:
    wanted = 255 * (RAMP / 255) ** (1 / (2.2 * value))
    got = photo.read(png(RAMP, gamma(value))).luma
    assert np.abs(got - wanted).max() <= 0.51
    rgb = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], -1)
    colors = photo.read_rgb(png(rgb, gamma(value)))
    assert np.abs(colors - 255 * (rgb / 255) ** (1 / (2.2 * value))).max() <= 0.51


def test_gamma_of_16_bits_keeps_the_shadows_apart() -> None:
    deep = np.arange(0, 2048, 8).reshape(8, 32).astype(np.uint16)
    got = photo.read(png(deep, gamma(1.0))).luma
    assert np.abs(got - 255 * (deep / 65535) ** (1 / 2.2)).max() <= 0.51


@pytest.mark.parametrize(
    "chunks",
    [
        (gamma(0.45455),),
        (gamma(0.46),),
        (gamma(0),),
        (gamma(1.0), (b"sRGB", b"\0")),
        (gamma(1.0), (b"cICP", bytes([1, 13, 0, 1]))),
    ],
)  # fmt: skip
def test_what_is_srgb_already_or_said_elsewhere_stays(chunks: tuple[tuple[bytes, bytes]]) -> None:
    np.testing.assert_array_equal(photo.read(png(RAMP, *chunks)).luma, RAMP)


def test_a_profile_goes_before_gamma() -> None:
    profile = (b"iCCP", b"x\0\0" + zlib.compress(photos.icc("GRAY", 1.8)))
    alone = photo.read(png(RAMP, profile)).luma
    np.testing.assert_array_equal(photo.read(png(RAMP, gamma(1.0), profile)).luma, alone)


def test_transparency_is_not_a_tone() -> None:
    values = np.dstack([RAMP] * 3 + [RAMP[::-1]])
    read = photo.read(png(values, gamma(1.0)))
    np.testing.assert_array_equal(read.alpha, RAMP[::-1])
    assert np.abs(read.luma - 255 * (RAMP / 255) ** (1 / 2.2)).max() <= 1


def test_cicp_of_hdr_and_of_wide_colors() -> None:
    """PQ 0.58 is 203 cd/m2 and HLG 0.75 is reference white (BT.2408); sRGB's red and green in P3
    are color(display-p3 0.917 0.200 0.139) and (0.458 0.985 0.298), by CSS Color 4."""
    for transfer, white in ((16, 0.5807), (18, 0.75)):
        values = np.array([[0, round(255 * white), 255]], np.uint8)
        chunk = (b"cICP", bytes([9, transfer, 0, 1]))
        luma = photo.read(png(np.dstack([values] * 3), chunk)).luma[0]
        assert luma[0] == 0
        assert luma[1] >= 252
        assert luma[2] == 255
    for p3, srgb in (((234, 51, 35), (255, 0, 0)), ((117, 251, 76), (0, 255, 0))):
        file = png(np.array([[p3]], np.uint8), (b"cICP", bytes([12, 13, 0, 1])))
        assert np.abs(photo.read_rgb(file)[0, 0].astype(int) - srgb).max() <= 4
    linear = photo.read(png(np.full((1, 1), 55, np.uint8), (b"cICP", bytes([1, 8, 0, 1])))).luma
    assert abs(int(linear[0, 0]) - 128) <= 1  # (55/255 = 0.2157, of which sRGB makes 0.5019)
