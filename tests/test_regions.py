"""Regions: how far a pin goes, and what becomes of the photo there and elsewhere."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tintype
from tintype import Recipe
from tintype.bins import OKLAB
from tintype.color import hue_degrees, hue_distance, rgb_to_oklab
from tintype.colorizer import Colorizer
from tintype.errors import PaletteError
from tintype.hints import NO_HINTS
from tintype.model import Encoding
from tintype.palette import Palette
from tintype.pins import At, chroma_of_pin
from tintype.regions import (
    OWN,
    REACH,
    _measure_ways,
    find_pins,
    make_layers,
    make_region,
    measure_score,
)

SUIT, FACE, FLAG = (0.42, 0.75), (0.45, 0.22), (0.12, 0.3)


class Sorting:
    """Paints all that has a hint's gray in the hint's color; keys and luma know no place."""

    bins, side, threads = OKLAB, 64, 1
    vividness, vividness_given = 0.4, 0.2
    fingerprint = "0123456789abcdef"
    takes_hints = True

    def encode(self, gray):
        luma = np.asarray(Image.fromarray(gray).reduce(4), np.float32) / 255
        keys = np.zeros((1, 4, *luma.shape), np.float32)
        own = Palette.of_chroma(OKLAB, np.zeros((1, 2)))
        return Encoding([keys], luma, own, [own] * 4, own)

    def decode(self, encoding, palette, vividness, hints=NO_HINTS):  # noqa: ARG002
        ab = np.full((*encoding.luma.shape, 2), 0.02)
        high, wide = encoding.luma.shape
        for (x, y), chroma in zip(hints.place, hints.chroma, strict=True):
            own = encoding.luma[int(y * high), int(x * wide)]
            ab[np.abs(encoding.luma - own) < 0.1] = chroma
        return ab


@pytest.fixture
def squares():
    """Two light squares and a lighter one on dark ground, encoded by `Sorting`."""
    luma = np.full((256, 256), 40, np.uint8)
    luma[32:96, 32:96] = luma[32:96, 160:224] = 160
    luma[160:224, 32:96] = 220
    return Colorizer(Sorting()).encode(Image.fromarray(luma))


@pytest.fixture(scope="module")
def colorizer():
    return tintype.load(threads=1)


@pytest.fixture(scope="module")
def astronaut(colorizer):
    return colorizer.encode(Image.fromarray(data.astronaut()).convert("L"))


def region_of(squares, reach=None):
    return make_region(squares.model, squares.encoding, (0.25, 0.25), reach)


def test_a_pin_colors_its_thing_and_not_the_like_one_beside_it(squares):
    region = region_of(squares)
    assert region[3:5, 3:5].min() == 1
    assert region[2:6, 2:6].min() > 0.9
    rest = region.copy()
    rest[2:6, 2:6] = 0
    assert rest.max() == 0  # not the other square, though it takes the hint as well


def test_reach_goes_from_a_speck_to_all_and_only_grows(squares):
    regions = [region_of(squares, reach) for reach in np.linspace(0, 1, 9)]
    assert all((b >= a).all() for a, b in itertools.pairwise(regions))
    assert regions[0].sum() <= 16
    assert regions[-1].sum() > regions[4].sum()
    assert (region_of(squares) == region_of(squares, REACH)).all()


def test_a_model_without_hints_takes_no_pins(squares):
    model = Sorting()
    model.takes_hints = False
    with pytest.raises(PaletteError, match="expected a model that takes pins"):
        make_region(model, squares.encoding, (0.3, 0.3))
    with pytest.raises(PaletteError, match="expected a model that takes pins"):
        Colorizer(model).decode(replace(squares, model=model), Recipe().at(0.5, 0.5, "red"))


def test_the_cheapest_ways_are_those_of_a_search():
    """Dijkstra's algorithm, as SciPy has it, is the outside truth."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    rng = np.random.default_rng(5)
    across, down = rng.random((9, 12)) ** 6, rng.random((8, 13)) ** 6
    cells = np.arange(9 * 13).reshape(9, 13)
    one = np.concatenate([cells[:, 1:].ravel(), cells[1:].ravel()])
    other = np.concatenate([cells[:, :-1].ravel(), cells[:-1].ravel()])
    cost = np.concatenate([across.ravel(), down.ravel()])
    graph = coo_array((cost, (one, other)), shape=(cells.size, cells.size))
    truth = dijkstra(graph.tocsr(), directed=False, indices=cells[4, 7]).reshape(9, 13)
    assert _measure_ways(across, down, (4, 7)) == pytest.approx(truth, abs=1e-6)


def test_scores_are_kept_and_do_not_depend_on_the_palette(astronaut, colorizer):
    fresh = replace(astronaut.encoding, scores={})
    first = measure_score(colorizer.model, fresh, SUIT)
    assert measure_score(colorizer.model, fresh, SUIT) is first
    assert first.max() == pytest.approx(OWN)
    for k in range(70):
        measure_score(colorizer.model, fresh, (k / 70, 0.5))
    assert len(fresh.scores) == 64
    assert SUIT not in fresh.scores


@pytest.mark.parametrize("color", ["#2f55c8", "teal", "hue:300", "saddlebrown", "gray", "keep"])
@pytest.mark.parametrize("place", [SUIT, FACE, FLAG, (0.9, 0.1), (0, 0), (1, 1)])
def test_the_pixel_under_a_pin_has_its_hue_and_all_the_chroma_that_fits(
    colorizer, astronaut, color, place
):
    planes = np.asarray(colorizer.decode(astronaut, Recipe().at(*place, color)).planes)
    row, column = (min(511, int(share * 512)) for share in place[::-1])
    y, cb, cr = (float(v) for v in planes[row, column])
    wanted = chroma_of_pin(color)
    if not wanted.any():
        assert (cb, cr) == (128, 128)
        return
    best = fit_by_search(y, wanted)
    assert np.abs(best - (cb - 128, cr - 128)).max() <= 1.5


def fit_by_search(y: float, ab: np.ndarray) -> np.ndarray:
    """Cb and Cr of that luma and hue with the most chroma, up to that of ab: by trying all."""
    cb, cr = np.mgrid[-128:128:0.5, -128:128:0.5]
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], -1) / 255
    inside = ((rgb >= 0) & (rgb <= 1)).all(-1)
    lab = rgb_to_oklab(rgb.clip(0, 1))[..., 1:]
    chroma = np.hypot(lab[..., 0], lab[..., 1])
    turned = hue_distance(hue_degrees(lab), hue_degrees(ab))
    score = np.where(inside & (chroma <= np.hypot(*ab) + 1e-3), chroma, -1) - 0.004 * turned
    best = np.unravel_index(score.argmax(), score.shape)
    return np.array([cb[best], cr[best]])


def test_what_is_outside_of_the_region_stays_and_luma_everywhere(colorizer, astronaut):
    plain = np.asarray(colorizer.decode(astronaut).planes).astype(int)
    pinned = np.asarray(colorizer.decode(astronaut, Recipe().at(*SUIT, "blue")).planes).astype(int)
    assert (pinned[..., 0] == plain[..., 0]).all()
    region = astronaut.region(*SUIT)
    assert 0.3 < (region == 0).mean() < 0.97
    assert np.abs(pinned - plain)[region == 0].max() <= 1
    assert np.abs(pinned - plain)[region > 0.9][:, 1:].max(axis=1).mean() > 20


def test_a_large_photos_region_is_a_screenful(colorizer):
    large = Image.fromarray(data.astronaut()).convert("L").resize((1500, 1200))
    region = colorizer.encode(large).region(*SUIT)
    assert region.shape == (632, 791)  # half a million pixels
    assert 0 <= region.min() < 1e-6
    assert 1 - 1e-6 < region.max() <= 1 + 1e-6


def test_pins_keep_from_each_other_and_keep_wins(colorizer, astronaut):
    both = Recipe().at(*SUIT, "blue").at(*FACE, "green")
    for recipe in (both, both.at(*SUIT, "red").at(*SUIT, "blue")):
        planes = np.asarray(colorizer.decode(astronaut, recipe).planes)
        alone = np.asarray(colorizer.decode(astronaut, Recipe().at(*SUIT, "blue")).planes)
        row, column = int(SUIT[1] * 512), int(SUIT[0] * 512)
        assert (planes[row, column] == alone[row, column]).all()
    kept = colorizer.decode(astronaut, both.at(*SUIT, "blue").at(0.45, 0.8, "keep", 0.5))
    assert np.abs(np.asarray(kept.planes)[409, 230, 1:].astype(int) - 128).max() == 0


def test_auto_keeps_the_palettes_colors_from_other_pins(colorizer, astronaut):
    sleeve = (0.3, 0.85)
    row, column = int(sleeve[1] * 512), int(sleeve[0] * 512)
    around = slice(row - 8, row + 8), slice(column - 8, column + 8)
    recipes = (Recipe(), Recipe().at(*SUIT, "blue"), Recipe().at(*SUIT, "blue").at(*sleeve, "auto"))
    plain, blue, spared = (
        np.asarray(colorizer.decode(astronaut, recipe).planes).astype(int) for recipe in recipes
    )
    assert np.abs(blue - plain)[around][..., 1:].max(-1).min() > 20
    assert np.abs(spared - plain)[around].max() <= 6  # it gets softer with the distance
    assert np.abs(spared - plain)[row - 2 : row + 3, column - 2 : column + 3].max() <= 1
    assert np.abs(spared - plain)[int(SUIT[1] * 512), int(SUIT[0] * 512)].max() > 20
    alone = np.asarray(colorizer.decode(astronaut, Recipe().at(*sleeve, "auto")).planes)
    assert (alone == plain).all()
    with pytest.raises(PaletteError, match="expected a color for a mask"):
        Recipe().mask(Image.new("L", (8, 8), 255), "auto")


def test_a_small_thing_is_kept_from_the_pin_of_a_large_one(squares):
    """A pin on a square, however little it reaches, has all of it beside one on the ground."""
    recipe = Recipe().at(0.6, 0.9, "green", 1).at(0.25, 0.25, "blue")
    (layer,) = make_layers(
        squares.model, squares.encoding, recipe.pins, np.zeros((256, 256), np.uint8)
    )
    ground, square = layer.shares
    assert square[2:6, 2:6].min() > 0.9
    assert ground[2:6, 2:6].max() < 0.1
    assert ground[12:, 8:].min() > 0.9


def test_a_pin_takes_nothing_where_its_region_is_zero(colorizer, astronaut):
    large = Recipe().at(*SUIT, "red", 1)
    both = large.at(*FLAG, "blue", 0)
    one, two = (
        np.asarray(colorizer.decode(astronaut, recipe).planes).astype(int)
        for recipe in (large, both)
    )
    speck = astronaut.region(*FLAG, 0)
    assert (speck > 0).mean() < 0.01
    assert np.abs(two - one)[speck == 0].max() <= 1


def test_masks_color_what_is_white_and_protected_parts_stay_gray(colorizer, astronaut):
    mask = np.zeros((256, 256), np.uint8)
    mask[64:128, 64:128] = 255
    recipe = Recipe().mask(Image.fromarray(mask), "red").protect(Image.fromarray(mask.T[::-1]))
    plain = np.asarray(colorizer.decode(astronaut).planes).astype(int)
    found = np.asarray(colorizer.decode(astronaut, recipe).planes).astype(int)
    seen = (plain[..., 0] > 20) & (plain[..., 0] < 235)
    assert (found[140:240, 140:240, 2][seen[140:240, 140:240]] > 128).all()
    dark = np.flatnonzero((seen & (plain[..., 0] < 180))[180, 140:240])[0] + 140
    lab = rgb_to_oklab(np.asarray(colorizer.decode(astronaut, recipe).image)[180, dark] / 255)
    assert hue_distance(hue_degrees(lab[1:]), hue_degrees(chroma_of_pin("red"))) < 3
    gray = np.asarray(Image.fromarray(mask.T[::-1]).resize((512, 512)))
    assert (found[gray == 255][:, 1:] == 128).all()
    away = np.ones((512, 512), bool)
    away[126:258, 126:258] = away[gray > 0] = False
    away[250:390, 126:258] = False
    assert np.abs(found - plain)[away].max() <= 1


def test_pins_belong_to_any_palette(colorizer, astronaut):
    pin = Recipe().at(*SUIT, "#2f55c8")
    given = replace(pin, palette=Palette.measure(data.coffee(), colorizer.bins))
    row, column = int(SUIT[1] * 512), int(SUIT[0] * 512)
    planes = [
        np.asarray(colorizer.decode(astronaut, recipe).planes)[row, column]
        for recipe in (pin, given, replace(pin, alternative=2), pin.towards("green").ban("blue"))
    ]
    assert all((plane == planes[0]).all() for plane in planes)
    assert colorizer.decode(astronaut, pin).palette != colorizer.decode(astronaut).palette


def test_what_is_reached_leaves_pins_out(colorizer, astronaut):
    pin = Recipe().at(*SUIT, "blue")
    assert pin.reached(colorizer, astronaut, colorizer.decode(astronaut, pin)) is None
    edit = Recipe().towards("green", 0.5)
    reached = edit.reached(colorizer, astronaut, colorizer.decode(astronaut, edit))
    both = edit.at(*SUIT, "blue")
    assert both.reached(colorizer, astronaut, colorizer.decode(astronaut, both)) == reached


def test_of_two_pins_at_a_pixel_the_later_counts():
    pins = (At((0.5, 0.5), "red"), At(("50px", "50px"), "blue"), At((0.2, 0.5), "red"))
    assert [pin.color for pin in find_pins(pins, (100, 100)).values()] == ["blue", "red"]
