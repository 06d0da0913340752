"""Files of 16 bits: what tifffile, libpng and exiftool see in them."""

import io
import logging
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import photos
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tintype import photo
from tintype.errors import PhotoError
from tintype.formats import deep
from tintype.metadata import Provenance

SHAPE = (80, 96)
LUMA = np.random.default_rng(0).integers(0, 65536, SHAPE, np.uint16)
RGB = np.random.default_rng(1).integers(0, 65536, (*SHAPE, 3), np.uint16)
WEIGHTS = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def planes(luma: np.ndarray) -> Image.Image:
    """A colored photo with this luma (H, W) uint16, in 8 bits: vivid, out of gamut in places."""
    colors = Image.fromarray(photos.scene(luma.shape[1], luma.shape[0])).convert("YCbCr")
    gray = Image.fromarray((luma / 257 + 0.5).astype(np.uint8))
    return Image.merge("YCbCr", [gray, *colors.split()[1:]])


def load(content: bytes) -> np.ndarray:
    """The samples in a TIFF or a PNG, by tifffile or libpng."""
    if content.startswith(b"\x89PNG"):
        return imagecodecs.png_decode(content)
    return tifffile.imread(io.BytesIO(content))


def write(source: Any, format: str, **how: Any) -> tuple[bytes, tuple[str, ...]]:
    """What is written of a photo that is read from a source, and the notes."""
    like, file = photo.read(source), io.BytesIO()
    luma = like.luma.astype(np.uint16) * 257 if like.deep is None else like.deep
    notes = photo.write(planes(luma), file, like=like, format=format, **how)
    return file.getvalue(), notes


def tiff(values: np.ndarray, **how: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **({"photometric": "minisblack"} | how))
    return file.getvalue()


def png(values: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 16 bits, (H, W, channels) uint16, by the standard's section 5."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    size = struct.pack(">II5B", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    parts = ((b"IHDR", size), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    joined = (
        struct.pack(">I4s", len(d), n) + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(joined)


@given(
    arrays.arrays(np.uint16, (5, 4)),
    arrays.arrays(np.uint8, (2, 5, 4), elements=st.integers(0, 255)),
)
def test_gray_of_any_colors_is_the_luma(luma: np.ndarray, chroma: np.ndarray) -> None:
    colors = [Image.fromarray(plane) for plane in (np.zeros((5, 4), np.uint8), *chroma)]
    values = deep.join(luma, Image.merge("YCbCr", colors), None)
    assert np.abs(values @ WEIGHTS - luma).max() <= 0.55  # of 65535: three roundings by 0.5
    neutral = (chroma == 128).all(axis=0)
    assert (values[neutral] == luma[neutral][:, None]).all()


def test_colors_within_the_gamut_are_those_of_bt601() -> None:
    luma = np.full((2, 2), 30000, np.uint16)
    chroma = Image.merge("YCbCr", [Image.new("L", (2, 2), value) for value in (0, 108, 158)])
    red, green, blue = 1.402 * 30, -0.344136 * -20 - 0.714136 * 30, 1.772 * -20
    wanted = 30000 + 257 * np.array([red, green, blue])
    assert np.abs(deep.join(luma, chroma, None) - wanted).max() <= 0.51


@pytest.mark.parametrize("format", ["TIFF", "PNG"])
@pytest.mark.parametrize("source", [tiff(LUMA), png(LUMA[..., None]), tiff(LUMA / 65535)])
def test_sixteen_bits_of_gray_stay(source: bytes, format: str) -> None:
    content, notes = write(source, format)
    values = load(content)
    assert (values.dtype, values.shape, notes) == (np.dtype(np.uint16), (*SHAPE, 3), ())
    assert (np.rint(values @ WEIGHTS) == LUMA).mean() > 0.999
    assert (values.max(axis=2) - values.min(axis=2) > 2000).mean() > 0.8  # it has colors


@pytest.mark.parametrize("format", ["TIFF", "PNG"])
@pytest.mark.parametrize("source", [tiff(RGB, photometric="rgb"), png(RGB)])
def test_luma_of_colors_stays(source: bytes, format: str) -> None:
    values = load(write(source, format)[0])
    assert np.abs(values @ WEIGHTS - RGB @ WEIGHTS).max() <= 1.05


@pytest.mark.parametrize("format", ["TIFF", "PNG"])
@pytest.mark.parametrize(
    "source",
    [
        tiff(np.dstack([RGB, LUMA]), photometric="rgb", extrasamples=["unassalpha"]),
        tiff(np.dstack([RGB[..., 0], LUMA]), extrasamples=["unassalpha"], planarconfig="contig"),
        png(np.dstack([RGB, LUMA])),
        png(np.dstack([RGB[..., 0], LUMA])),
    ],
)
def test_alpha_keeps_16_bits(source: bytes, format: str) -> None:
    values = load(write(source, format)[0])
    np.testing.assert_array_equal(values[..., 3], LUMA)
    if format == "TIFF":
        with tifffile.TiffFile(io.BytesIO(write(source, format)[0])) as file:
            assert file.pages.first.extrasamples == (2,)  # not multiplied


def test_alpha_is_turned_with_the_photo() -> None:
    on_its_side = [(274, 3, 1, 6, True)]
    source = tiff(np.dstack([RGB, LUMA]), photometric="rgb", extrasamples=["unassalpha"],
                  extratags=on_its_side)  # fmt: skip
    values = load(write(source, "PNG")[0])
    np.testing.assert_array_equal(values[..., 3], np.rot90(LUMA, -1))
    assert np.abs(values[..., :3] @ WEIGHTS - np.rot90(RGB @ WEIGHTS, -1)).max() <= 1.05


def test_a_wide_space_is_shown_as_with_eight_bits() -> None:
    colors = np.asarray(Image.fromarray(photos.scene()).resize(SHAPE[::-1])).astype(np.uint16) * 257
    profile = imagecodecs.cms_profile("adobergb")
    read = photo.read(tiff(colors, photometric="rgb", iccprofile=profile))
    assert read.deep is not None
    assert np.abs(read.deep / 257 - read.luma).max() <= 2
    assert np.abs(read.deep - colors @ WEIGHTS).max() > 500  # and not as it is stored


def test_a_transparent_gray_of_a_png() -> None:
    content = png(LUMA[..., None], (b"tRNS", struct.pack(">H", int(LUMA[3, 4]))))
    values = load(write(content, "PNG")[0])
    np.testing.assert_array_equal(values[..., 3], np.where(LUMA[3, 4] == LUMA, 0, 65535))


def test_a_transparent_color_of_a_png() -> None:
    key = struct.pack(">3H", *map(int, RGB[3, 4]))
    wanted = np.full(SHAPE, 65535)
    wanted[3, 4] = 0
    read = photo.read(png(RGB, (b"tRNS", key)))
    np.testing.assert_array_equal(read.alpha, wanted / 257)
    np.testing.assert_array_equal(load(write(png(RGB, (b"tRNS", key)), "PNG")[0])[..., 3], wanted)


def test_what_libpng_does_not_read_is_read_with_eight_bits() -> None:
    content = bytearray(png(RGB, *[(b"gAMA", struct.pack(">I", 45455))] * 2))
    assert photo.read(bytes(content)).deep is not None
    content[-13] ^= 1  # the check sum of the pixels
    read = photo.read(bytes(content))
    assert (read.bits, read.deep) == (16, None)
    assert np.abs(read.luma - RGB @ WEIGHTS / 257).max() <= 1.6
    assert logging.getLogger("imagecodecs").handlers  # which libpng tells of the second gAMA


def test_colors_that_are_multiplied_by_alpha() -> None:
    alpha = np.maximum(LUMA, 20000)[..., None]
    multiplied = (RGB * (alpha / 65535) + 0.5).astype(np.uint16)
    source = tiff(np.dstack([multiplied, alpha]), photometric="rgb", extrasamples=["assocalpha"])
    values = load(write(source, "TIFF")[0])
    assert np.abs(values[..., :3] @ WEIGHTS - RGB @ WEIGHTS).max() <= 4
    np.testing.assert_array_equal(values[..., 3], alpha[..., 0])


@pytest.mark.parametrize("format", ["TIFF", "PNG"])
@pytest.mark.parametrize("levels", [1.0, 1.8])
def test_colors_in_a_profile(format: str, levels: float) -> None:
    """A profile with the primaries of sRGB and another curve: each channel by itself."""
    linear = (RGB / 65535) ** (round(levels * 256) / 256)
    shown = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    profile = photos.icc("RGB", levels)
    packed = (b"iCCP", b"test\0\0" + zlib.compress(profile))
    for source in (tiff(RGB, photometric="rgb", iccprofile=profile), png(RGB, packed)):
        values = load(write(source, format)[0])
        assert (
            np.abs(values / 65535 @ WEIGHTS - shown @ WEIGHTS).max() <= 0.0013
        )  # its primaries have four digits


def test_colors_of_another_gamma() -> None:
    values = load(write(png(RGB, (b"gAMA", struct.pack(">I", 100_000))), "PNG")[0])
    shown = (RGB / 65535) ** (1 / 2.2)
    assert np.abs(values / 65535 @ WEIGHTS - shown @ WEIGHTS).max() <= 2 / 65535


def test_colors_of_another_space() -> None:
    codes = (b"cICP", bytes([12, 13, 0, 1]))  # Display P3
    plain = photo.read(png(RGB // 257 * 257, codes))
    assert plain.deep is not None
    assert np.abs(plain.deep / 257 - plain.luma).max() <= 1.1


@pytest.mark.parametrize("format", ["TIFF", "PNG"])
def test_depth_is_a_choice(format: str) -> None:
    assert load(write(tiff(LUMA), format, depth=8)[0]).dtype == np.uint8
    gray = photos.gradient(96, 80)
    assert load(write(gray, format)[0]).dtype == np.uint8
    values = load(write(gray, format, depth=16)[0])
    np.testing.assert_array_equal(np.rint(values @ WEIGHTS), gray.astype(int) * 257)


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_other_formats_have_eight(format: str) -> None:
    with pytest.raises(PhotoError, match=f"expected TIFF or PNG for 16 bits, found {format}; "):
        write(LUMA, format, depth=16)
    assert write(LUMA, format)[1] == (f"its 16 bits became 8, all that is written of {format}",)
    assert write(LUMA, format, depth=8)[1] == ()
    with pytest.raises(PhotoError, match="8 or 16, found 12"):
        write(LUMA, format, depth=12)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("format", ["JPEG 2000", "JPEG XL"])
def test_colors_of_jpeg_2000_and_jpeg_xl(format: str, channels: int, bits: int) -> None:
    colors = np.dstack([RGB, LUMA])[..., :channels] >> (16 - bits)
    colors[:9, :9] = 2**bits - 1  # white, of which Pillow makes black
    wanted = colors / (2**bits - 1)
    if format == "JPEG 2000":
        content, most = imagecodecs.jpeg2k_encode(colors, bitspersample=bits), 1.55
    else:  # imagecodecs writes more than 8 bits as linear light, and says so by a profile
        content, most = imagecodecs.jpegxl_encode(colors, bitspersample=bits, lossless=True), 30
        light = wanted[..., :3]
        curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        wanted[..., :3] = curve
    read = photo.read(content)
    assert read.bits == bits
    assert (read.luma[:9, :9] == 255).all()
    values = load(write(content, "PNG")[0])
    assert np.abs((values[..., :3] - 65535 * wanted[..., :3]) @ WEIGHTS).max() <= most
    if channels == 4:
        assert np.abs(values[..., 3] - 65535 * wanted[..., 3]).max() <= 0.51


def test_jpeg_2000_takes_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content, other = imagecodecs.jpeg2k_encode(RGB), imagecodecs.jpegxl_encode(RGB)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(PhotoError, match=r"found colors of 16; pip install 'tintype\[archival\]'"):
        photo.read(content)
    monkeypatch.setattr(photo, "find_spec", lambda _: None)
    assert write(other, "PNG")[1][0].startswith("its 16 bits became 8; pip install ")


def test_what_is_read_with_eight_bits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    inks = tiff(np.dstack([RGB, LUMA]), photometric="separated")
    assert write(inks, "TIFF")[1] == ("its 16 bits became 8: colors of its kind are read with 8",)
    monkeypatch.setattr(photo, "find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    for source in (png(RGB), tiff(RGB, photometric="rgb", iccprofile=photos.icc("RGB", 1.8))):
        content, notes = write(source, "PNG")
        assert notes == ("its 16 bits became 8; pip install 'tintype[archival]' to keep 16",)
        assert content[24] == 8
        assert write(source, "PNG", depth=16)[1] == notes
        assert write(source, "PNG", depth=8)[1] == ()
    assert write(tiff(LUMA), "PNG")[1] == write(tiff(LUMA), "TIFF")[1] == ()


@pytest.mark.parametrize("format", ["TIFF", "PNG"])
def test_a_photo_of_another_size_is_refused(format: str) -> None:
    with pytest.raises(PhotoError, match="expected the photo's size 96 x 80, found 40 x 40"):
        photo.write(planes(LUMA[:40, :40]), io.BytesIO(), like=photo.read(LUMA), format=format)


@pytest.mark.parametrize("suffix", ["tif", "png"])
@pytest.mark.parametrize("about", [{"dpi": (300, 300)}, {}])
def test_a_photo_in_eight_bits_says_the_same_of_itself(
    suffix: str, about: dict[str, Any], tmp_path: Path
) -> None:
    """Pillow reads the same metadata from a file of 8 bits and from one of 16."""
    gray = Image.fromarray(LUMA)
    source = photos.encoded(gray, "TIFF", exif=photos.exif(), **about)
    found = []
    for depth in (8, 16):
        path = tmp_path / f"{depth}.{suffix}"
        like = photo.read(source)
        photo.write(planes(LUMA), path, like=like, depth=depth, provenance=Provenance('{"a": 1}'))
        again = photo.read(path)
        with Image.open(path) as image:
            assert image.getexif()[315] == "Nadar"
        # tifffile writes the placeholder of TIFF 6.0 where there is no resolution.
        read = again.metadata
        found.append(replace(read, exif=read.exif.without(282, 283, 296)))
    assert found[0] == found[1]


@pytest.mark.parametrize("comment", [b" ", b"\n# of a scanner\n"])
def test_colors_of_a_pnm(comment: bytes) -> None:
    head = b"P6" + comment + b"%d %d\n65535\n" % SHAPE[::-1]
    values = load(write(head + RGB.astype(">u2").tobytes(), "PNG")[0])
    assert np.abs(values @ WEIGHTS - RGB @ WEIGHTS).max() <= 1.05
    ten = RGB >> 6
    values = load(write(head.replace(b"65535", b"1023") + ten.astype(">u2").tobytes(), "TIFF")[0])
    assert np.abs(values @ WEIGHTS - ten / 1023 * 65535 @ WEIGHTS).max() <= 1.55


@pytest.mark.parametrize(
    ("encode", "bits"),
    [
        (lambda: imagecodecs.avif_encode(RGB >> 6, bitspersample=10), 10),
        (lambda: imagecodecs.avif_encode(RGB >> 4, bitspersample=12), 12),
        (lambda: imagecodecs.avif_encode((RGB >> 8).astype(np.uint8)), 8),
        (lambda: imagecodecs.jpegxl_encode((RGB >> 8).astype(np.uint8)), 8),
        (lambda: imagecodecs.jpeg2k_encode((RGB >> 8).astype(np.uint8)), 8),
    ],
)
def test_other_formats_tell_their_bits(encode: Callable[[], bytes], bits: int) -> None:
    content = encode()
    assert photo.read(content).bits == bits
    lost = f"its {bits} bits became 8: colors of its kind are read with 8"
    assert write(content, "PNG")[1] == ((lost,) if bits > 8 else ())
