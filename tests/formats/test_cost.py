"""What is built as photos are is told from what may cost minutes or gigabytes, by a look."""

from functools import partial

import bombs
import numpy as np
import pytest
from PIL import Image
from skimage import data

from tintype.errors import PhotoError
from tintype.formats.cost import is_ordinary
from tintype.photo import read
from tintype.sandbox import Sandbox, read_bounded

PHOTOS = {
    "jpeg": {"format": "JPEG", "quality": 95},
    "progressive": {"format": "JPEG", "progressive": True},
    "restarts": {"format": "JPEG", "restart_marker_blocks": 1},
    "jpeg with a profile": {"format": "JPEG", "icc_profile": bytes(range(256)) * 400},
    "png": {"format": "PNG"},
    "tiff": {"format": "TIFF"},
    "tiff lzw": {"format": "TIFF", "compression": "tiff_lzw"},
    "tiff deflate": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    "webp": {"format": "WEBP"},
}
BOMBS = {
    "scans": partial(bombs.make_jpeg_of_scans, 64, 100),
    "comments": partial(bombs.make_jpeg_of_comments, 3000),
    "chunks": partial(bombs.make_png_of_chunks, 30_000),
    "tile": partial(bombs.make_tiff_of_a_huge_tile, 9000),
    "fax": partial(bombs.make_fax_of_noise, 64, 64, 500),
    "avif": partial(bombs.make_avif_that_claims_less, 200),
    "cut": lambda: bombs.save(Image.new("L", (64, 64)), "TIFF")[:30],
    "none": lambda: b"",
}


def photo(name) -> bytes:
    return bombs.save(Image.fromarray(data.coffee()), **PHOTOS[name])


@pytest.mark.parametrize("name", PHOTOS)
def test_photos_are_ordinary(name):
    assert is_ordinary(photo(name))


def test_a_tiff_in_the_other_order_and_of_16_bits_is_ordinary(tmp_path):
    import tifffile

    path = tmp_path / "deep.tif"
    pixels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    tifffile.imwrite(path, pixels, byteorder=">", tile=(128, 128), compression="zlib")
    assert is_ordinary(path.read_bytes())


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_not(name):
    assert not is_ordinary(BOMBS[name]())


def test_ordinary_photos_are_read_here_and_others_by_a_child(monkeypatch, tmp_path):
    read_there = []
    do = Sandbox.do
    monkeypatch.setattr(
        Sandbox, "do", lambda self, work, name: read_there.append(name) or do(self, work, name)
    )
    for name, options in {"here": PHOTOS["jpeg"], "there": {"format": "AVIF"}}.items():
        path = tmp_path / name
        path.write_bytes(bombs.save(Image.fromarray(data.coffee()), **options))
        for source in (str(path), path.read_bytes()):
            np.testing.assert_array_equal(read_bounded(source, read).luma, read(source).luma)
    assert read_there == [str(tmp_path / "there"), "the image"]


def test_what_is_wrong_is_said_with_the_files_name(tmp_path):
    with pytest.raises(PhotoError, match=r"none\.jpg"):
        read_bounded(str(tmp_path / "none.jpg"), read)
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(PhotoError, match=r"text\.jpg: expected an image"):
        read_bounded(str(tmp_path / "text.jpg"), read)
