"""Pages of text are told from photos."""

import numpy as np
import photos
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from tintype import photo
from tintype.formats.document import is_document

HINT = "looks like a page of text, not a photo"


def page(size: int, *, paper: int = 235, scale: int = 1) -> np.ndarray:
    """(h, w) uint8: lines of words on a scan of paper."""
    rng = np.random.default_rng(size)
    image = Image.new("L", (1000, 1400), paper)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for top in range(80, 1320, round(1.6 * size)):
        words = ("".join(rng.choice(list("etaoinshrdlu"), rng.integers(2, 9))) for _ in range(14))
        draw.text((80, top), " ".join(words), fill=30, font=font)
    values = np.asarray(image).astype(float) + rng.normal(0, 4, (1400, 1000))
    return values.clip(0, 255).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)


@pytest.mark.parametrize("size", [12, 16, 32])
@pytest.mark.parametrize("scale", [1, 3])
def test_pages_are_documents(size: int, scale: int) -> None:
    assert is_document(page(size, scale=scale))
    assert photo.read(page(size)).notes == (HINT,)


def test_a_real_scan_of_a_page_is_one() -> None:
    assert is_document(data.page())


@pytest.mark.parametrize("name", ["astronaut", "camera", "chelsea", "coffee", "rocket", "coins",
                                  "brick", "grass", "gravel", "moon", "horse"])  # fmt: skip
def test_photos_are_none(name: str) -> None:
    values = getattr(data, name)()
    values = values.astype(np.uint8) * (255 if values.dtype == bool else 1)
    assert not is_document(np.asarray(Image.fromarray(values).convert("L")))
    assert photo.read(values).notes == ()


@pytest.mark.parametrize("luma", [np.full((500, 400), 255, np.uint8), np.zeros((1, 1), np.uint8),
                                  photos.gradient(300, 200), 255 - page(16)])  # fmt: skip
def test_blank_paper_and_white_on_black_are_none(luma: np.ndarray) -> None:
    assert not is_document(luma)
