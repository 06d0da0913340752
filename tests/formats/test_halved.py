"""JPEGs of halved planes: the same pixels as Pillow's own 4:2:0, in any number of strips."""

import io
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tintype import photo
from tintype.errors import PhotoError
from tintype.formats import halved
from tintype.formats.halved import Halved
from tintype.metadata import Metadata

SIDES = st.integers(1, 150)


def make(height: int, width: int, seed: int = 0) -> Halved:
    """Noise, so that no block of the file is like another."""
    rng = np.random.default_rng(seed)
    small = (height + 1) // 2, (width + 1) // 2
    luma, cb, cr = (rng.integers(90, 160, s, np.uint8) for s in ((height, width), small, small))
    return Halved(luma, cb, cr)


def encode(planes: Halved, strip_pixels: int = 1, quality: int | None = None) -> bytes:
    """The file; a strip is 16 rows high unless `strip_pixels` makes it higher."""
    buffer = io.BytesIO()
    with mock.patch.object(halved, "STRIP_PIXELS", strip_pixels):
        photo.write(planes, buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def decode(content: bytes) -> np.ndarray:
    """Its YCbCr as the decoder has it."""
    with Image.open(io.BytesIO(content)) as image:
        image.draft("YCbCr", image.size)
        return np.asarray(image)


@given(SIDES, SIDES, st.integers(1, 8000), st.integers(0, 2**32 - 1), st.sampled_from([None, 60]))
@settings(max_examples=60)
def test_the_pixels_are_those_of_one_strip_by_pillow_alone(
    height: int, width: int, strip_pixels: int, seed: int, quality: int | None
) -> None:
    planes = make(height, width, seed)
    doubled = [np.kron(p, np.ones((2, 2), np.uint8)) for p in (planes.cb, planes.cr)]
    whole = [Image.fromarray(p[:height, :width]) for p in (planes.luma, *doubled)]
    buffer = io.BytesIO()
    options = {"quality": 60} if quality else {"qtables": photo._FAITHFUL}
    Image.merge("YCbCr", whole).save(buffer, "JPEG", subsampling="4:2:0", **options)
    found = decode(encode(planes, strip_pixels, quality))
    np.testing.assert_array_equal(found, decode(buffer.getvalue()))


def test_the_planes_come_back() -> None:
    planes = make(75, 131)
    y, x = np.mgrid[0:38, 0:66] / 40
    planes = Halved(
        planes.luma, *((128 + 50 * f(3 * x + y)).astype(np.uint8) for f in (np.sin, np.cos))
    )
    content = encode(planes, quality=100)
    with Image.open(io.BytesIO(content)) as image:
        assert [layer[1:3] for layer in image.layer] == [(2, 2), (1, 1), (1, 1)]
        assert image.size == planes.size
    found = decode(content).astype(int)
    assert np.abs(found[..., 0] - planes.luma).max() <= 1
    for plane, small in zip((found[..., 1], found[..., 2]), (planes.cb, planes.cr), strict=True):
        assert np.abs(plane[:74:2, :130:2] - small[:37, :65]).max() <= 4  # a slope, read between


def test_strips_are_restart_intervals_that_are_counted_to_eight() -> None:
    content = encode(make(16 * 12, 40))
    assert content.count(b"\xff\xdd\0\4\0\3") == 1  # one DRI, of 3 units
    data = content[content.rindex(b"\xff\xda") :]
    marks = [data[n + 1] for n in range(len(data) - 1) if data[n] == 0xFF and data[n + 1]]
    assert marks == [0xDA, *(0xD0 + n % 8 for n in range(11)), 0xD9]


def test_metadata_are_written_once_whatever_bytes_they_hold() -> None:
    comment = b"\xff\xc0\xff\xda\xff\xd9 a comment"
    like = photo.read(np.zeros((99, 40), np.uint8))
    like = photo.Photo(like.luma, None, "JPEG", False, Metadata(comments=(comment,)))
    buffer = io.BytesIO()
    with mock.patch.object(halved, "STRIP_PIXELS", 1):
        assert photo.write(make(99, 40), buffer, like=like, format="JPEG") == ()
    assert buffer.getvalue().count(comment) == 1
    with Image.open(buffer) as image:
        assert image.info["comment"] == comment
        assert image.size == (40, 99)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_other_formats_get_all_of_it_at_full_size(format: str) -> None:
    planes = make(35, 41)
    buffer = io.BytesIO()
    photo.write(planes, buffer, format=format)
    whole = [np.kron(p, np.ones((2, 2), np.uint8))[:35, :41] for p in (planes.cb, planes.cr)]
    merged = Image.merge("YCbCr", [Image.fromarray(p) for p in (planes.luma, *whole)])
    np.testing.assert_array_equal(photo.read_rgb(buffer), merged.convert("RGB"))


@pytest.mark.parametrize("shape", [(65_501, 3), (3, 65_501)])
def test_a_side_that_no_jpeg_holds_is_one_error(shape: tuple[int, int]) -> None:
    with pytest.raises(
        PhotoError, match=r"expected to write JPEG, found a size .*; choose"
    ) as info:
        photo.write(make(*shape), io.BytesIO(), format="JPEG")
    assert "\n" not in str(info.value)
    assert encode(make(65_500, 3), 1 << 20)
