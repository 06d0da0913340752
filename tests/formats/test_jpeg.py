"""JPEGs whose end is missing."""

import numpy as np
import photos
import pytest
from PIL import Image

from tintype import photo
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
