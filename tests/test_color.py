"""Color spaces against published values, scikit-image and Pillow; NumPy and torch agree."""

import colorsys

import numpy as np
import pytest
import skimage.color
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tintype import color

CONVERSIONS = [
    color.srgb_to_linear,
    color.linear_to_srgb,
    color.luma,
    color.rgb_to_ycbcr,
    color.ycbcr_to_rgb,
    color.rgb_to_oklab,
    color.oklab_to_rgb,
    color.rgb_to_lab,
    color.lab_to_rgb,
    color.rgb_to_hsv,
    color.hsv_to_rgb,
]
PRIMARIES = {  # OKLab by Ottosson, as CSS Color 4 prints it
    (1, 1, 1): (1, 0, 0),
    (0, 0, 0): (0, 0, 0),
    (1, 0, 0): (0.62796, 0.22486, 0.12585),
    (0, 1, 0): (0.86644, -0.23389, 0.17950),
    (0, 0, 1): (0.45201, -0.03246, -0.31153),
    (1, 1, 0): (0.96798, -0.07137, 0.19857),
    (0, 1, 1): (0.90540, -0.14944, -0.03940),
    (1, 0, 1): (0.70167, 0.27457, -0.16916),
}
XYZ = {  # OKLab of CIE XYZ, the table in Ottosson 2020
    (0.950, 1.000, 1.089): (1.000, 0.000, 0.000),
    (1, 0, 0): (0.450, 1.236, -0.019),
    (0, 1, 0): (0.922, -0.671, 0.263),
    (0, 0, 1): (0.153, -1.415, -0.449),
}

XYZ_OF_RGB = [  # IEC 61966-2-1
    (0.4124, 0.3576, 0.1805),
    (0.2126, 0.7152, 0.0722),
    (0.0193, 0.1192, 0.9505),
]

WIDE = hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.just(3)), elements=st.floats(-1, 2))
CHROMA = st.floats(-0.4, 0.4)


@pytest.fixture(scope="module")
def rgb():
    """(35937, 3): the whole RGB cube in even steps."""
    steps = np.linspace(0, 1, 33)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)


@pytest.fixture(scope="module")
def pixels():
    """(200, 200, 3) uint8 random pixels."""
    return np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)


# --- outside truth --------------------------------------------------------------------------------


@pytest.mark.parametrize(("rgb", "lab"), PRIMARIES.items())
def test_oklab_of_primaries_as_published(rgb, lab):
    np.testing.assert_allclose(color.rgb_to_oklab(np.array(rgb) / 1), lab, atol=1e-5)


@pytest.mark.parametrize(("xyz", "lab"), XYZ.items())
def test_oklab_of_xyz_as_published(xyz, lab):
    """Far outside sRGB: negative values go through signed."""
    linear = np.linalg.solve(XYZ_OF_RGB, xyz)
    got = color.rgb_to_oklab(color.linear_to_srgb(linear))
    np.testing.assert_allclose(got, lab, atol=2e-3)


def test_lab_as_in_scikit_image(rgb):
    np.testing.assert_allclose(color.rgb_to_lab(rgb), skimage.color.rgb2lab(rgb), atol=1e-9)


def test_lab_is_undone(rgb):
    np.testing.assert_allclose(color.lab_to_rgb(skimage.color.rgb2lab(rgb)), rgb, atol=1e-6)


def test_hsv_as_in_the_standard_library(rgb):
    hsv = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in rgb[::7]])
    np.testing.assert_allclose(color.rgb_to_hsv(rgb[::7]), hsv, atol=1e-12)
    np.testing.assert_allclose(color.hsv_to_rgb(hsv), rgb[::7], atol=1e-12)
    np.testing.assert_allclose(color.hsv_to_rgb(hsv + np.array([3, 0, 0])), rgb[::7], atol=1e-12)


def test_transfer_curve_as_in_scikit_image():
    gray = np.linspace(0, 1, 1000)
    linear = skimage.color.rgb2xyz(np.repeat(gray[:, None], 3, axis=1))[:, 1]
    np.testing.assert_allclose(color.srgb_to_linear(gray), linear, atol=1e-12)
    np.testing.assert_allclose(color.linear_to_srgb(linear), gray, atol=1e-12)


def test_ycbcr_as_in_scikit_image(rgb):
    studio = skimage.color.rgb2ycbcr(rgb)  # 16..235 and 16..240 where JPEG has 0..255
    full = (studio - [16, 128, 128]) / [219, 224, 224]
    np.testing.assert_allclose(color.rgb_to_ycbcr(rgb), full, atol=2e-6)


def test_luma_as_in_pillow(pixels):
    gray = np.asarray(Image.fromarray(pixels).convert("L"))
    assert np.abs(255 * color.luma(pixels / 255) - gray).max() < 0.51


def test_ycbcr_as_in_pillow(pixels):
    jpeg = np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(float) - [0, 128, 128]
    assert np.abs(255 * color.rgb_to_ycbcr(pixels / 255) - jpeg).max() < 1.01


def test_grays_have_no_chroma():
    gray = np.repeat(np.linspace(0, 1, 100)[:, None], 3, axis=1)
    assert np.abs(color.rgb_to_ycbcr(gray)[:, 1:]).max() < 1e-12
    assert np.abs(color.rgb_to_oklab(gray)[:, 1:]).max() < 1e-6
    assert np.abs(color.rgb_to_lab(gray)[:, 1:]).max() < 0.02


# --- properties -----------------------------------------------------------------------------------


@given(WIDE)
@settings(max_examples=40)
def test_round_trips_inside_and_outside_the_cube(rgb):
    linear = color.srgb_to_linear(rgb)
    np.testing.assert_allclose(color.linear_to_srgb(linear), rgb, atol=1e-6)
    np.testing.assert_allclose(color.ycbcr_to_rgb(color.rgb_to_ycbcr(rgb)), rgb, atol=1e-12)
    np.testing.assert_allclose(color.oklab_to_rgb(color.rgb_to_oklab(rgb)), rgb, atol=5e-5)


@given(WIDE)
@settings(max_examples=40)
def test_transfer_curves_are_odd_and_rise(rgb):
    for curve in (color.srgb_to_linear, color.linear_to_srgb):
        np.testing.assert_array_equal(curve(-rgb), -curve(rgb))
        assert (np.diff(curve(np.sort(rgb.ravel()))) >= -1e-7).all()


@given(WIDE)
@settings(max_examples=40)
def test_ycbcr_keeps_luma_whatever_the_chroma(rgb):
    ycbcr = color.rgb_to_ycbcr(rgb)
    ycbcr[..., 1:] *= -0.5
    np.testing.assert_allclose(color.luma(color.ycbcr_to_rgb(ycbcr)), color.luma(rgb), atol=1e-12)


@pytest.mark.parametrize("convert", CONVERSIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_gives_the_same_and_types_are_kept(convert, dtype):
    values = np.random.default_rng(2).uniform(-0.5, 1.5, (4, 5, 3)).astype(dtype)
    values[0, 0] = 0
    before = values.copy()
    here, there = convert(values), convert(torch.from_numpy(values))
    assert here.dtype == there.numpy().dtype == dtype
    assert here.shape == there.shape == values.shape[: np.ndim(here)]
    np.testing.assert_allclose(there, here, rtol=1e-4 if dtype == np.float32 else 1e-12, atol=2e-5)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("curve", [color.srgb_to_linear, color.linear_to_srgb])
def test_gradients_stay_finite_at_black(curve):
    values = torch.tensor([-1.0, -1e-3, 0.0, 1e-3, 1.0], requires_grad=True)
    curve(values).sum().backward()
    assert torch.isfinite(values.grad).all()


# --- a color of a given luma ---------------------------------------------------------------------


def test_a_color_of_a_luma_reaches_it():
    rgb = np.random.default_rng(3).random((100_000, 3))
    wanted, lab = color.luma(rgb), color.rgb_to_oklab(rgb)
    got = color.oklab_of_luma(wanted, lab[:, 1:])
    error = 255 * np.abs(color.luma(color.oklab_to_rgb(got)) - wanted)
    assert (error <= 1).mean() >= 0.99
    assert error.max() < 5
    np.testing.assert_array_equal(got[:, 1:], lab[:, 1:])


def test_a_color_of_a_luma_is_the_one_it_came_from(rgb):
    lab = color.rgb_to_oklab(rgb)
    got = color.oklab_of_luma(color.luma(rgb), lab[:, 1:])
    assert np.quantile(np.abs(got - lab)[:, 0], 0.99) < 1e-3


def test_a_gray_of_a_luma_is_that_gray():
    gray = np.linspace(0, 1, 256)
    got = color.oklab_to_rgb(color.oklab_of_luma(gray, np.zeros((256, 2))))
    np.testing.assert_allclose(got, np.repeat(gray[:, None], 3, axis=1), atol=1e-5)


@given(st.floats(0, 1), CHROMA, CHROMA)
@settings(max_examples=40)
def test_a_color_out_of_reach_is_still_finite(luma, a, b):
    ab = np.array([[a, b]])
    got = color.oklab_of_luma(np.array([luma]), ab)
    assert np.isfinite(got).all()
    np.testing.assert_array_equal(got[..., 1:], ab)
    there = color.oklab_of_luma(torch.tensor([luma], dtype=torch.float64), torch.from_numpy(ab))
    np.testing.assert_allclose(there, got, atol=1e-6)


# --- tones ----------------------------------------------------------------------------------------


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(0, 1)))
def test_tones_share_every_luma(y):
    found = color.tone_weights(y)
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-12)
    ramps = ([1, 0, 0], [0, 1, 0], [0, 0, 1])  # over black, middle gray, white
    expected = np.stack([np.interp(y, [0, 0.5, 1], ramp) for ramp in ramps], axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(color.tone_weights(torch.from_numpy(y)), found, atol=1e-12)


# --- hue ------------------------------------------------------------------------------------------


@given(CHROMA, CHROMA)
def test_hue_is_the_angle_counter_clockwise(a, b):
    ab = np.array([a, b])
    hue = color.hue_degrees(ab)
    assert 0 <= hue <= 360
    turn = np.exp(1j * np.radians(hue))
    np.testing.assert_allclose(np.hypot(a, b) * turn, a + 1j * b, atol=1e-12)
    np.testing.assert_allclose(color.hue_degrees(torch.from_numpy(ab)), hue, atol=1e-12)


def test_hues_run_from_red_over_green_to_blue():
    order = [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1)]
    hues = color.hue_degrees(color.rgb_to_oklab(np.array(order) / 1)[:, 1:])
    # 29.2, 109.8, 142.5, 194.8, 264.1, 328.4: OKLCh of the primaries, as CSS Color 4 prints it
    np.testing.assert_allclose(hues, [29.23, 109.77, 142.50, 194.77, 264.05, 328.36], atol=0.01)
