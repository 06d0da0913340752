"""Files of 16 bits, from the command and from Python; tifffile and libpng read them again."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from command import tintype
from PIL import Image
from skimage import data

from tintype import Colorizer, PhotoError
from tintype.batch import OutputOptions, Request, colorize

# A photo whose values lie between those of 8 bits.
NOISE = np.random.default_rng(0).integers(-128, 129, (512, 512))
DEEP = (data.camera()[:160, :240] * 257.0 + NOISE[:160, :240]).clip(0, 65535).astype(np.uint16)
WEIGHTS = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A TIFF and a PNG of 16 bits, and a JPEG."""
    folder = tmp_path / "in"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", DEEP, photometric="minisblack", resolution=(600, 600))
    (folder / "b.png").write_bytes(imagecodecs.png_encode(np.dstack([DEEP] * 3)))
    Image.fromarray((DEEP >> 8).astype(np.uint8)).save(folder / "c.jpg")
    return folder


def load(path: Path) -> np.ndarray:
    if path.suffix == ".png":
        return imagecodecs.png_decode(path.read_bytes())
    return tifffile.imread(path)


def check_deep(path: Path) -> None:
    """Expect colors of 16 bits, and the luma of `DEEP` in nearly all of them."""
    values = load(path)
    assert values.dtype == np.uint16
    assert (np.rint(values @ WEIGHTS) == DEEP).mean() > 0.999
    assert np.abs(values @ WEIGHTS - DEEP).max() <= 1
    assert np.ptp(values.astype(int), axis=2).mean() > 100


def test_a_folder_keeps_16_bits_until_8_are_asked_for(scans: Path) -> None:
    done = tintype("colorize", "in", "-o", "out", cwd=scans.parent)
    assert b"bits" not in done.stderr
    for name in ("a.color.tif", "b.color.png"):
        check_deep(scans.parent / "out" / name)
    with tifffile.TiffFile(scans.parent / "out" / "a.color.tif") as file:
        assert file.pages.first.tags[282].value == (600, 1)
    done = tintype("colorize", "in", "-o", "out", cwd=scans.parent)
    assert b"3 were done before" in done.stderr
    done = tintype("colorize", "in", "-o", "out", "--depth", "8", cwd=scans.parent)
    assert b"3 colored into out" in done.stderr
    assert load(scans.parent / "out" / "a.color.tif").dtype == np.uint8
    assert load(scans.parent / "out" / "b.color.png").dtype == np.uint8


def test_a_depth_that_a_format_does_not_hold(scans: Path) -> None:
    done = tintype("colorize", "c.jpg", "a.tif", "--depth", "16", cwd=scans, status=1)
    (line,) = [line for line in done.stderr.decode().splitlines() if "expected" in line]
    assert line.startswith(
        "tintype: c.jpg: c.color.jpg: expected TIFF or PNG for 16 bits, found JPEG"
    )
    assert not (scans / "c.color.jpg").exists()
    check_deep(scans / "a.color.tif")
    done = tintype("colorize", "a.tif", "-o", "a.jpg", cwd=scans)
    assert b"a.tif: its 16 bits became 8, all that is written of JPEG" in done.stderr
    done = tintype("colorize", "a.tif", "-o", "b.jpg", "--depth", "8", cwd=scans)
    assert b"bits" not in done.stderr


def test_a_pipe_keeps_16_bits(scans: Path) -> None:
    for name in ("a.tif", "b.png"):
        done = tintype("colorize", "-", cwd=scans, input=(scans / name).read_bytes())
        (scans / f"new-{name}").write_bytes(done.stdout)
        check_deep(scans / f"new-{name}")


def test_from_python(scans: Path, tmp_path: Path, colorizer: Colorizer) -> None:
    options = OutputOptions(depth=16)
    photos = [str(scans / name) for name in ("a.tif", "b.png")]
    colorize(Request(photos, tmp_path, options=options, colorizer=colorizer))
    check_deep(tmp_path / "a.color.tif")
    result = colorizer.colorize(scans / "a.tif")
    result.save(tmp_path / "auto.png")
    check_deep(tmp_path / "auto.png")
    result.save(tmp_path / "eight.png", depth=8)
    assert load(tmp_path / "eight.png").dtype == np.uint8
    file = io.BytesIO()
    with pytest.raises(PhotoError, match="expected TIFF or PNG for 16 bits, found WEBP"):
        result.save(file, format="WEBP", depth=16)
    assert not file.getvalue()
