"""Enlarging chroma: the luma survives, no color is invented, edges hold, every size works."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tintype import upsample as module
from tintype.upsample import fit_gamut, upsample

SIDES = st.integers(1, 40)
SHAPES = st.tuples(SIDES, SIDES)
BYTES = st.sampled_from([0, 1, 127, 254, 255]) | st.integers(0, 255)


def gray_again(luma, cb, cr):
    """The luma that Pillow sees after the trip through RGB."""
    planes = [Image.fromarray(plane) for plane in (luma, cb, cr)]
    return np.asarray(Image.merge("YCbCr", planes).convert("RGB").convert("L")).astype(int)


@st.composite
def photos(draw, reach, lumas=BYTES):
    """Chroma up to `reach` from gray, and a luma of another size."""
    values = st.floats(-reach, reach, width=32)
    chroma = draw(hnp.arrays(np.float32, (2, *draw(SHAPES)), elements=values))
    return chroma, draw(hnp.arrays(np.uint8, draw(SHAPES), elements=lumas))


# --- gamut ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def every_color():
    """Luma and chroma over the whole byte cube, every luma and every fifth chroma."""
    luma, cb, cr = np.meshgrid(
        np.arange(256), np.arange(-128, 128, 5), np.arange(-128, 128, 5), indexing="ij"
    )
    return [a.reshape(256, -1) for a in (luma.astype(np.uint8), *np.float32([cb, cr]))]


@given(photos(reach=400), st.booleans())
@settings(max_examples=150)
def test_luma_survives_any_chroma(photo, guided):
    chroma, luma = photo
    before = luma.copy()
    cb, cr = upsample(chroma, luma, guided=guided, threads=1)
    assert np.abs(gray_again(luma, cb, cr) - luma).max() <= 1
    assert np.array_equal(luma, before)


def test_luma_survives_for_every_color(every_color):
    luma, cb, cr = every_color
    error = gray_again(luma, *upsample(np.stack([cb, cr]), luma)) - luma
    assert np.abs(error).max() <= 1


@given(photos(reach=400), st.booleans())
@settings(max_examples=150)
def test_halved_planes_are_in_gamut_with_all_pixels_that_share_them(photo, guided):
    chroma, luma = photo
    planes = upsample(chroma, luma, guided=guided, halved=True, threads=1)
    assert [p.shape for p in planes] == [tuple((n + 1) // 2 for n in luma.shape)] * 2
    cb, cr = (np.kron(p, np.ones((2, 2), np.uint8))[tuple(map(slice, luma.shape))] for p in planes)
    assert np.abs(gray_again(luma, cb, cr) - luma).max() <= 1


@given(photos(reach=60), st.booleans())
@settings(max_examples=60)
def test_halved_planes_are_those_of_a_photo_of_half_the_size(photo, guided):
    chroma, luma = photo
    even = luma.repeat(2, axis=0).repeat(2, axis=1)
    halved = upsample(chroma, even, guided=guided, guide_pixels=1, halved=True, threads=1)
    small = upsample(chroma, luma, guided=guided, guide_pixels=1, threads=1)
    if min(luma.shape[n] / chroma.shape[n + 1] for n in (0, 1)) >= 1:  # else one is a mean of more
        np.testing.assert_array_equal(halved, small)


def test_bytes_keep_hue_and_never_gain_chroma(every_color):
    luma, cb, cr = every_color
    out = [plane.astype(np.float32) - 128 for plane in upsample(np.stack([cb, cr]), luma)]
    across = np.abs(cb * out[1] - cr * out[0]) / np.hypot(cb, cr).clip(min=1)
    assert across.max() <= np.sqrt(2), "farther off the hue than rounding explains"
    assert (np.abs(out[0]) <= np.abs(cb)).all()
    assert (np.abs(out[1]) <= np.abs(cr)).all()


def test_fit_gamut_lands_inside_and_leaves_the_inside_alone(every_color):
    luma, cb, cr = every_color
    small_cb, small_cr = fit_gamut(luma, cb, cr)
    inside = in_cube(luma, cb, cr, 0)
    assert in_cube(luma, small_cb, small_cr, 1e-3).all()
    assert np.array_equal(small_cb[inside], cb[inside])
    assert np.array_equal(small_cr[inside], cr[inside])
    assert 0.05 < inside.mean() < 0.5
    np.testing.assert_allclose(small_cb * cr, small_cr * cb, atol=2e-2)


def in_cube(luma, cb, cr, slack):
    y = luma.astype(np.float64)
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb])
    return (rgb >= -slack).all(0) & (rgb <= 255 + slack).all(0)


def test_black_and_white_take_no_color():
    chroma = np.full((2, 4, 4), 90, np.float32)
    for tone in (0, 255):
        planes = upsample(chroma, np.full((9, 9), tone, np.uint8))
        assert (np.stack(planes) == 128).all()


# --- colors --------------------------------------------------------------------------------------


# With luma near the middle and faint chroma, the gamut step has nothing to do.
@given(photos(reach=20, lumas=st.integers(100, 150)), st.booleans())
@settings(max_examples=150)
def test_colors_stay_within_those_that_came(photo, guided):
    chroma, luma = photo
    for small, plane in zip(chroma, upsample(chroma, luma, guided=guided, threads=1), strict=True):
        # The mean of halves may round either way.
        assert np.rint(small.min() + 128 - 1e-3) <= plane.min()
        assert plane.max() <= np.rint(small.max() + 128 + 1e-3)


@given(st.integers(-20, 20), st.integers(-20, 20), SHAPES, SHAPES, st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_constant_chroma_stays_constant(cb, cr, small, full, seed):
    chroma = np.empty((2, *small), np.float32)
    chroma[0], chroma[1] = cb, cr
    luma = np.random.default_rng(seed).integers(100, 150, full, dtype=np.uint8)
    planes = upsample(chroma, luma, threads=1)
    assert (planes[0] == cb + 128).all()
    assert (planes[1] == cr + 128).all()


def test_no_color_reaches_past_its_neighbors():
    chroma = np.zeros((2, 16, 16), np.float32)
    chroma[:, 8, 8] = 30
    luma = np.full((128, 128), 120, np.uint8)
    cb, _ = upsample(chroma, luma)
    spot = cb != 128
    assert spot[60:76, 60:76].any()
    spot[52:84, 52:84] = False
    assert not spot.any()


def step_edge(size, noise=0):
    """A bright teal half beside a dark orange one, the seam within one coarse cell, and grain."""
    height, width = size
    left = np.arange(width) < width * 0.52
    grain = np.random.default_rng(0).normal(0, noise, size)
    luma = np.clip(np.where(left, 170, 90) + grain, 0, 255).astype(np.uint8)
    chroma = np.where(left, np.float32([[10], [-30]]), np.float32([[-20], [30]]))
    return luma, np.repeat(chroma[:, None], height, axis=1)


@pytest.mark.parametrize("noise", [0, 6])
@pytest.mark.parametrize("size", [(320, 480), (1500, 2000)])
def test_guided_bleeds_less_than_bilinear(size, noise):
    luma, truth = step_edge(size, noise)
    small = [Image.fromarray(p).resize((64, 48), Image.Resampling.BOX) for p in truth]
    chroma = np.stack([np.asarray(plane) for plane in small])

    def bleeding(guided):
        error = np.stack(upsample(chroma, luma, guided=guided)) - 128.0 - truth
        return np.array([(error**2).mean(), (np.abs(error) > 10).mean()])

    assert (bleeding(True) < bleeding(False) / 3).all()


def test_grain_alone_gives_no_color_of_its_own():
    ramp = np.linspace(-30, 30, 64, dtype=np.float32)
    chroma = np.broadcast_to(ramp, (2, 64, 64)).copy()
    grain = np.random.default_rng(0).normal(128, 10, (512, 512)).clip(60, 200).astype(np.uint8)
    plain, guided = (upsample(chroma, grain, guided=g)[0].astype(int) for g in (False, True))
    assert np.abs(plain - guided).max() <= 3


@given(hnp.arrays(np.uint8, SHAPES), st.data(), st.integers(1, 3))
@settings(max_examples=100)
def test_rows_become_their_means(luma, data, threads):
    height = data.draw(st.integers(1, len(luma)))
    means = module._shrink_rows(luma, height, module._Pool(threads))
    centers = (2 * np.arange(len(luma)) + 1) * height  # in halves of a row
    for n, mean in enumerate(means):
        rows = luma[(centers > 2 * n * len(luma)) & (centers <= 2 * (n + 1) * len(luma))]
        assert np.abs(rows.mean(axis=0) - mean).max() <= 0.501


def test_rows_before_columns_are_what_pillow_makes_of_a_photo():
    luma = np.random.default_rng(0).integers(0, 256, (907, 401), dtype=np.uint8)
    size = (251, 97)
    means = module._shrink(module._shrink_rows(luma, size[0], module._Pool(1)), size).astype(int)
    whole = np.asarray(Image.fromarray(luma).resize(size[::-1], Image.Resampling.BOX))
    assert np.abs(means - whole).max() <= 1
    assert (means != whole).mean() < 0.3


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("small", [(64, 64), (64, 87), (1, 1)])
@pytest.mark.parametrize(
    "full", [(1, 1), (3, 10_000), (10_000, 3), (40, 50), (64, 64), (65, 63), (1001, 1499)]
)
def test_every_size(small, full, guided):
    rng = np.random.default_rng(0)
    chroma = rng.normal(0, 30, (2, *small)).astype(np.float32)
    luma = rng.integers(0, 256, full, dtype=np.uint8)
    for plane in upsample(chroma, luma, guided=guided):
        assert plane.shape == full
        assert plane.dtype == np.uint8


def test_threads_change_nothing():
    rng = np.random.default_rng(0)
    chroma = rng.normal(0, 40, (2, 64, 80)).astype(np.float32)
    luma = rng.integers(0, 256, (1200, 1500), dtype=np.uint8)
    for halved in (False, True):
        results = [upsample(chroma, luma, halved=halved, threads=n) for n in (1, 2, 5)]
        for other in results[1:]:
            assert np.array_equal(results[0], other)


def test_read_only_and_strided_luma():
    rng = np.random.default_rng(0)
    chroma = rng.normal(0, 90, (2, 16, 16)).astype(np.float32)
    luma = rng.integers(0, 256, (200, 300), dtype=np.uint8)
    expected = upsample(chroma, luma[::2, ::3].copy())
    luma.flags.writeable = False
    assert np.array_equal(expected, upsample(chroma, luma[::2, ::3]))


@pytest.mark.parametrize(
    ("chroma", "luma", "message"),
    [
        (np.zeros((3, 4, 4), np.float32), np.zeros((8, 8), np.uint8), r"chroma must be float32"),
        (np.zeros((2, 4, 4), np.float64), np.zeros((8, 8), np.uint8), r"got float64 \(2, 4, 4\)"),
        (np.zeros((2, 0, 4), np.float32), np.zeros((8, 8), np.uint8), r"chroma must be float32"),
        (np.zeros((2, 4, 4), np.float32), np.zeros((8, 8, 3), np.uint8), r"luma must be uint8"),
        (np.zeros((2, 4, 4), np.float32), np.zeros((0, 8), np.uint8), r"luma must be uint8"),
        (np.full((2, 4, 4), np.nan, np.float32), np.zeros((8, 8), np.uint8), r"finite"),
    ],
)
def test_errors_say_what_came(chroma, luma, message):
    with pytest.raises(ValueError, match=message):
        upsample(chroma, luma)
