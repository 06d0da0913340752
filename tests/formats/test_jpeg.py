"""JPEGs whose end is missing."""

import numpy as np
import photos
import pytest
from PIL import Image
from scipy.ndimage import binary_erosion
from skimage import data

from tintype import Colorizer, Recipe, photo, welsh2002
from tintype.errors import PhotoError

NOISE = np.random.default_rng(0).normal(0, 20, (200, 240))
SCENE = Image.fromarray((photos.gradient(240, 200) * 0.6 + 50 + NOISE).clip(0, 255).astype("u1"))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_without_its_end_a_whole_picture_is_read_with_a_word(mode: str, progressive: bool) -> None:
    whole = photos.encoded(SCENE.convert(mode), "JPEG", progressive=progressive)
    wanted = photo.read(whole)
    for lost in (1, 2):
        read = photo.read(whole[:-lost])
        np.testing.assert_array_equal(read.luma, wanted.luma)
        assert read.notes == ("its end is missing",)
    assert wanted.notes == ()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_what_is_cut_is_read_only_to_salvage_it_and_gray_below(share: float) -> None:
    whole = photos.encoded(SCENE, "JPEG", quality=95)
    cut = whole[: int(share * len(whole))]
    with pytest.raises(PhotoError, match=r"found one that is cut; .* --salvage"):
        photo.read(cut)
    read = photo.read(cut, salvage=True)
    assert read.notes == ("its end is missing; what is missing is gray",)
    wanted, rows = photo.read(whole).luma, int(200 * share) // 8 * 8 - 24
    np.testing.assert_array_equal(read.luma[: max(0, rows)], wanted[: max(0, rows)])
    assert (read.luma[-1, -8:] == 128).all()


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_is_missing_is_known_and_stays_neutral(
    colorizer: Colorizer, mode: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    whole = photos.encoded(SCENE.convert(mode), "JPEG", quality=95, exif=exif)
    read = photo.read(whole[: len(whole) // 2], salvage=True)
    assert photo.read(whole).missing is None
    assert read.missing is not None
    assert read.missing.shape == read.luma.shape
    assert (read.luma[read.missing] == 128).all()
    assert 0.35 < read.missing.mean() < 0.6
    there = read.missing if orientation == 1 else read.missing[:, ::-1].T  # as it was stored
    assert there[-8:].all()
    assert not there[:80].any()
    inside = binary_erosion(read.missing, iterations=12)  # what is left of a soft edge
    for result in (
        colorizer.colorize(read, Recipe(vividness=1)),
        welsh2002.colorize(read, data.coffee()),
    ):
        colors = np.asarray(result.planes)[..., 1:].astype(int) - 128
        assert np.abs(colors[inside]).max() <= 1
        assert np.abs(colors[~read.missing]).max() > 8
