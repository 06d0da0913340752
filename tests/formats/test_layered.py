"""Layers for image editors: the colors laid over the gray photo are the colored photo."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import psdtags
import pytest
from palettes import BINS
from photos import encoded
from PIL import Image
from skimage import data

from tintype import Colorizer, Palette, PhotoError, Recipe
from tintype.photo import read
from tintype.result import Result

WEIGHTS = np.array([0.3, 0.59, 0.11])


def blend_color(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Blend mode Color of (..., 3), 0..255: W3C, Compositing and Blending Level 1, 9.3."""
    below, above = below / 255, above / 255
    colors = above + ((below - above) @ WEIGHTS)[..., None]
    luma = (colors @ WEIGHTS)[..., None]
    least, most = colors.min(-1)[..., None], colors.max(-1)[..., None]
    raised = luma + (colors - luma) * luma / np.where(least < 0, luma - least, 1)
    colors = np.where(least < 0, raised, colors)
    lowered = luma + (colors - luma) * (1 - luma) / np.where(most > 1, most - luma, 1)
    return 255 * np.where(most > 1, lowered, colors)


def save_layers(result: Result, format: str) -> tuple[bytes, tuple[str, ...]]:
    file = io.BytesIO()
    notes = result.save_layers(file, format=format)
    return file.getvalue(), notes


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(vividness=1).saturate(2), Recipe().ban("red")])
def test_the_colors_over_the_gray_photo_are_the_colored_photo(
    colorizer: Colorizer, recipe: Recipe
) -> None:
    page = Image.new("L", (400, 300), 245)  # white paper, which stays neutral
    page.paste(Image.fromarray(data.coffee()).convert("L").resize((320, 220)), (40, 40))
    exif = Image.Exif()
    exif[0x010F] = "Kodak"
    result = colorizer.colorize(encoded(page, "JPEG", exif=exif), recipe)
    content, notes = save_layers(result, "PNG")
    layer = Image.open(io.BytesIO(content))
    assert (notes, layer.mode, layer.size, layer.getexif()[0x010F]) == (
        (),
        "RGBA",
        page.size,
        "Kodak",
    )
    pixels = np.asarray(layer).astype(float)
    gray = np.repeat(result.photo.luma[..., None], 3, 2).astype(float)
    share = pixels[..., 3:] / 255
    made = np.rint((1 - share) * gray + share * blend_color(gray, pixels[..., :3]))
    colored = np.asarray(result.image).astype(float)
    gap = np.abs(made - colored).max(-1)
    assert gap.max() <= 6  # where light colors meet the gamut: 0.59 is not the 0.587 of Rec. 601
    assert (gap <= 1).mean() > 0.99
    assert np.abs(colored - gray).mean() > 3
    clear = pixels[..., 3] == 0
    assert set(np.unique(pixels[..., 3])) == {0, 255}
    assert 0.2 < clear.mean() < 0.6
    assert not np.ptp(colored[clear], -1).any()


def test_a_tiff_has_the_photo_and_its_colors_as_layers(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    photo = Image.fromarray(data.coffee()).convert("LA").resize((300, 201))
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    exif = Image.Exif()
    exif[0x010F] = "Kodak"
    recipe = Recipe().towards("red", 0.3)
    result = colorizer.colorize(encoded(photo, "PNG", exif=exif, dpi=(300, 300)), recipe)
    path = tmp_path / "coffee.layers.tif"
    assert result.save_layers(path) == ()
    found = psdtags.TiffImageSourceData.fromtiff(path)
    below, above = found.layers.layers
    assert (below.name, below.blendmode) == ("Photo", psdtags.PsdBlendMode.NORMAL)
    assert (above.name, above.blendmode) == ("Colors", psdtags.PsdBlendMode.COLOR)
    assert found.layers.has_transparency
    gray = np.asarray(photo)
    colored = np.asarray(result.image)
    for layer, planes in (
        (below, [gray[..., 1], *3 * [gray[..., 0]]]),
        (above, [None, *np.moveaxis(colored[..., :3], -1, 0)]),
    ):
        assert layer.rectangle == (0, 0, 201, 300)
        for channel, number, plane in zip(layer.channels, (-1, 0, 1, 2), planes, strict=True):
            assert channel.channelid == number
            if plane is not None:
                np.testing.assert_array_equal(channel.data, plane)
    cover = above.channels[0].data
    np.testing.assert_array_equal(cover[cover > 0], gray[..., 1][cover > 0])
    assert not np.ptp(colored[..., :3], -1)[(cover == 0) & (gray[..., 1] > 0)].any()
    with Image.open(path) as image:  # who knows no layers
        np.testing.assert_array_equal(np.asarray(image), colored)
        assert image.getexif()[0x010F] == "Kodak"
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    np.testing.assert_array_equal(read(path).alpha, gray[..., 1])
    assert Recipe.load(path).edits == recipe.edits
    with pytest.raises(PhotoError, match="found one"):
        result.save_layers(path)


def test_layers_of_many_megabytes_are_whole() -> None:
    """More than is kept of a file's other tags."""
    noise = np.random.default_rng(0).integers(0, 256, (1800, 1600), np.uint8)
    photo = replace(read(noise), bits=16, deep=noise.astype(np.uint16) * 257)
    chroma = np.full((2, 4, 4), 12, dtype=np.float32)
    result = Result(photo, chroma, Palette.of_chroma(BINS, np.full((4, 2), 0.05)), threads=1)
    content, notes = save_layers(result, "TIFF")
    assert notes == ("its 16 bits became 8 in layers",)
    at = content.index(psdtags.TiffImageSourceData.SIGNATURE)
    assert len(content) - at > 16 << 20
    found = psdtags.TiffImageSourceData.frombytes(content[at:])
    np.testing.assert_array_equal(found.layers.layers[0].channels[1].data, noise)
    assert not found.layers.has_transparency
    with Image.open(io.BytesIO(content)) as image:
        assert (image.mode, len(image.tag_v2[37724])) == ("RGB", len(content) - at)


def test_layers_have_two_formats(colorizer: Colorizer) -> None:
    result = colorizer.colorize(data.camera()[:64, :64])
    with pytest.raises(PhotoError, match="expected PNG or TIFF for layers, found JPEG; choose"):
        save_layers(result, "JPEG")
