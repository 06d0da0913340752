"""What came out of the colors that were asked for, on planes that are painted by hand."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from tintype.outcomes import measure_outcomes
from tintype.recipe import Recipe

GRAY = "#808080"


def paint(*stripes):
    """Luma (h, w), 0..1, and chroma (2, h, w) of stripes of colors, by Pillow."""
    rgb = np.repeat(np.uint8([[ImageColor.getrgb(color) for color in stripes]]), 6, 0)
    planes = np.asarray(Image.fromarray(np.repeat(rgb, 4, 1)).convert("YCbCr"), np.float32)
    return planes[..., 0] / 255, np.moveaxis(planes[..., 1:] - 128, -1, 0)


def measure(recipe, *stripes):
    """(asked, got, share) of each color by the edits of a recipe."""
    found = measure_outcomes(recipe.edits, *paint(*stripes))
    return [(one.asked, one.got, one.share) for one in found]


def assert_near(color, expected):
    """Within what YCbCr of 8 bits rounds away."""
    np.testing.assert_allclose(ImageColor.getrgb(color), ImageColor.getrgb(expected), atol=3)


@pytest.mark.parametrize("recipe", [
    Recipe().towards("#2f55c8", 0.2), Recipe().boost("#2f55c8", 0.1),
    Recipe().recolor([{"from": "red", "to": "#2f55c8", "scale": 1}]),
])  # fmt: skip
def test_what_wears_a_color_is_found_with_its_share(recipe):
    # Of the four colors the second is a dull blue; the first has too little chroma.
    [(asked, got, share)] = measure(recipe, "#808388", "#4a5f9a", "#9a5f4a", GRAY)
    assert asked == "#2f55c8"
    assert_near(got, "#4a5f9a")
    assert share == 0.25


def test_nothing_may_wear_it():
    far, near = "#8a4ab0", "#5a4ab0"  # by 45 and 20 degrees of OKLab hue
    assert measure(Recipe().boost("#2f55c8", 0.1), far, GRAY) == [("#2f55c8", None, 0)]
    assert measure(Recipe().boost("#2f55c8", 0.1), near, GRAY)[0][2] == 0.5


def test_gray_is_a_color():
    change = {"from": "red", "to": "gray", "scale": 1}
    [(asked, got, share)] = measure(Recipe().recolor([change]), "#4a5f9a", "#606060", "#a0a0a0")
    assert asked == GRAY
    assert len({*got[1:3], *got[3:5], *got[5:7]}) <= 2  # a gray, between the two
    assert "#60" < got < "#a1"
    assert share == pytest.approx(2 / 3)


def test_each_part_wears_the_nearest_of_two_alike():
    recipe = Recipe().boost("#2f55c8", 0.1).boost("#7080a0", 0.1)
    (_, vivid, one), (_, dull, other) = measure(recipe, "#3a5ac0", "#707ea0", "#7080a2")
    assert_near(vivid, "#3a5ac0")
    assert_near(dull, "#707fa1")
    assert (one, other) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


@pytest.mark.parametrize("recipe", [
    Recipe(), Recipe().shift_hue(40).saturate(2).ban("blue"), Recipe().boost("blue", 0),
    Recipe().towards("blue", 0), Recipe().at(0.5, 0.5, "blue"),
    Recipe().recolor([{"from": "blue", "to": "#00f", "scale": 2}]),
    Recipe().recolor([{"from": "red", "to": "blue", "scale": 0}]),
])  # fmt: skip
def test_where_no_color_is_asked_for_there_is_no_outcome(recipe):
    assert measure(recipe, "blue", GRAY) == []


def test_later_edits_of_all_colors_change_what_is_asked():
    change = {"from": "red", "to": "blue", "scale": 1}
    asked = Recipe().recolor([change]).boost("#5080b0", 0.1)
    turned, _ = measure(asked.shift_hue(-120), "green")
    red, green, blue = ImageColor.getrgb(turned[0])
    assert green > max(red, blue)
    assert (
        measure(asked.saturate(0), GRAY)[0][0][1:3] == measure(asked.saturate(0), GRAY)[0][0][3:5]
    )
    again = asked.recolor([{"from": "#0000f0", "to": "yellow", "scale": 1}])
    assert [one for one, _, _ in measure(again, GRAY)] == ["#ffff00"]
    twice = measure_outcomes(asked.boost("#00f", 0.1).edits, *paint(GRAY))
    assert [one.color for one in twice] == ["blue", "#5080b0"]
