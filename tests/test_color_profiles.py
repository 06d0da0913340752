"""What a file says about its pixels: color profile, tint, EXIF and dpi, from file to file."""

import numpy as np
import photos
import pytest
from PIL import Image, ImageCms
from skimage import data

from tintype import photo

GRAY = photos.gradient()
SCENE = Image.fromarray(photos.scene())
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SEPIA = photos.toned(data.camera(), (40, 26, 13), (250, 236, 205))


# Color profiles


@pytest.mark.parametrize("gamma", [1.0, 1.8])
@pytest.mark.parametrize("space", ["GRAY", "RGB"])
def test_the_tone_curve_of_a_profile_is_honored(space: str, gamma: float) -> None:
    ramp = np.arange(256, dtype=np.uint8)[None].repeat(4, axis=0)
    linear = (ramp / 255) ** gamma
    wanted = 255 * np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    mode = "RGB" if space == "RGB" else "L"
    for stored in {mode, "L"}:
        image = Image.fromarray(ramp).convert(stored)
        for format in ("PNG", "TIFF"):
            file = photos.encoded(image, format, icc_profile=photos.icc(space, gamma))
            assert np.abs(photo.read(file).luma - wanted).max() <= 2


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_an_srgb_profile_changes_nothing(mode: str) -> None:
    image = Image.fromarray(data.camera()).convert(mode)
    file = photos.encoded(image, "PNG", icc_profile=SRGB)
    np.testing.assert_array_equal(photo.read(file).luma, data.camera())


@pytest.mark.parametrize("profile", [b"nonsense", SRGB[:200], photos.icc("CMYK"), b"x" * (9 << 20)])
def test_a_broken_or_foreign_profile_is_ignored(profile: bytes) -> None:
    image = Image.fromarray(GRAY)
    image.info["icc_profile"] = profile
    np.testing.assert_array_equal(photo.read(image).luma, GRAY)


def test_cmyk_is_read_with_and_without_its_profile() -> None:
    inks = [(0, 0, 0, 0), (0, 0, 0, 255), (255, 0, 0, 0), (255, 255, 0, 0)]
    image = Image.new("CMYK", (32, 8))
    for index, ink in enumerate(inks):
        image.paste(ink, (8 * index, 0, 8 * index + 8, 8))
    plain = photo.read(photos.encoded(image, "TIFF")).luma[4, 4::8]
    np.testing.assert_array_equal(plain, photos.luma_of(np.asarray(image.convert("RGB")))[4, 4::8])
    for format in ("TIFF", "JPEG"):
        options = {"quality": 100} if format == "JPEG" else {}
        file = photos.encoded(image, format, icc_profile=photos.icc("CMYK"), **options)
        light = photo.read(file).luma[4, 4::8]
        # CIE lightness 100, 0, 76, 53 as sRGB.
        np.testing.assert_allclose(light, (255, 0, 188, 126), atol=4)


# Is it colored already?


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_color_photos_are_colorful(name: str) -> None:
    rgb = getattr(data, name)()
    assert photo.read(rgb).colorful
    assert photo.read(photos.encoded(Image.fromarray(rgb), "JPEG", quality=60)).colorful
    faded = (0.8 * rgb + 0.2 * photos.luma_of(rgb)[..., None]).astype(np.uint8)
    assert photo.read(faded).colorful


@pytest.mark.parametrize(
    ("shadow", "light"),
    [
        ((0, 0, 0), (255, 255, 255)),
        ((40, 26, 13), (250, 236, 205)),  # sepia
        ((5, 20, 60), (225, 240, 255)),  # cyanotype
        ((10, 20, 70), (255, 225, 170)),  # split toning
        ((70, 0, 0), (255, 90, 90)),
    ],
)
@pytest.mark.parametrize("quality", [40, 90])
def test_toned_prints_are_not_colorful(
    shadow: tuple[int, int, int], light: tuple[int, int, int], quality: int
) -> None:
    rgb = photos.toned(data.camera(), shadow, light)
    noise = np.random.default_rng(0).normal(0, 4, rgb.shape)
    noisy = Image.fromarray(np.clip(rgb + noise, 0, 255).astype(np.uint8))
    read = photo.read(photos.encoded(noisy, "JPEG", quality=quality))
    assert not read.colorful


def test_sepia_keeps_its_luma() -> None:
    np.testing.assert_array_equal(photo.read(SEPIA).luma, photos.luma_of(SEPIA))


def test_one_flat_color_and_hidden_colors_are_not_colorful() -> None:
    assert not photo.read(Image.new("RGB", (50, 50), "red")).colorful
    assert not photo.read(Image.new("RGB", (1, 1), "red")).colorful
    hidden = Image.fromarray(photos.scene())
    hidden.putalpha(0)
    assert not photo.read(hidden).colorful
    assert photo.read(SCENE).colorful
