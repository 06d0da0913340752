"""Gray in the editor: a place on the wheel, a color to type, a group to take hold of or remove."""

import json

import numpy as np
import pytest
from playwright.sync_api import expect

from server.editor.conftest import (
    add_color,
    click_photo,
    download,
    drag,
    open_photo,
    read_pixels,
    wait_until_settled,
)
from tintype.color import hue_degrees, hue_distance, rgb_to_oklab

pytestmark = pytest.mark.parametrize("page", ["phone"], indirect=True)


def find_hue(rgb, degrees):
    """Which pixels have a hue, within 30 degrees, and OKLab chroma enough to tell."""
    ab = rgb_to_oklab(rgb / 255)[..., 1:]
    near = hue_distance(hue_degrees(ab), degrees) < 30
    return near & (np.hypot(ab[..., 0], ab[..., 1]) > 0.03)


def share_of_gray(rgb):
    """Of the pixels that can show a color, those that show none."""
    ab = rgb_to_oklab(rgb / 255)[..., 1:]
    middle = (rgb.mean(-1) > 30) & (rgb.mean(-1) < 225)
    return float((np.hypot(ab[..., 0], ab[..., 1]) < 0.01)[middle].mean())


def edits_of(page, folder):
    return json.loads(download(page, "#save-recipe", folder).read_text())["edits"]


def middle_of(page):
    box = page.locator("#wheel").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_spot_dragged_to_the_middle_makes_its_color_gray(page, photo, tmp_path):
    open_photo(page, photo)
    before = read_pixels(page)
    spot = page.locator("#wheel .spot").first
    hue = float(spot.get_attribute("aria-valuenow"))
    box, (x, y) = spot.bounding_box(), middle_of(page)
    start = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    drag(page, spot, x - start[0], y - start[1])
    assert spot.get_attribute("aria-valuetext").startswith("gray, chroma 0.00")
    assert find_hue(read_pixels(page), hue).mean() < find_hue(before, hue).mean()
    (edit,) = edits_of(page, tmp_path)
    assert edit["recolor"][0]["to"] == "#989898"
    page.locator("#undo").click()
    assert np.array_equal(read_pixels(page), before)


def test_keys_lead_to_gray_and_back_to_the_hue(page, photo):
    open_photo(page, photo)
    spot = page.locator("#wheel .spot").first
    spot.focus()
    hue = float(spot.get_attribute("aria-valuenow"))
    for _ in range(30):
        spot.press("ArrowDown")
    assert spot.get_attribute("aria-valuetext").startswith("gray")
    spot.press("ArrowLeft")
    assert spot.get_attribute("aria-valuetext").startswith("gray")
    spot.press("ArrowUp")
    assert abs(float(spot.get_attribute("aria-valuenow")) - hue) < 6
    assert "gray" not in spot.get_attribute("aria-valuetext")


def test_what_is_gray_is_a_group_that_can_be_colored_or_removed(page, photo, tmp_path):
    open_photo(page, photo)
    gray = page.locator("#wheel .spot").last
    assert gray.get_attribute("aria-label").endswith("gray")
    before = share_of_gray(read_pixels(page))
    assert before > 0
    gray.focus()
    page.locator("#hex").fill("#3f5fa8")
    page.locator("#hex").press("Enter")
    wait_until_settled(page)
    recolor = edits_of(page, tmp_path)[0]["recolor"]
    assert recolor[-1] == {"from": "#989898", "to": "#3f5fa8", "scale": 1}
    page.locator("#undo").click()
    gray.focus()
    page.locator(".color.chosen .eye").click()
    wait_until_settled(page)
    expect(page.locator("#wheel .spot.banned")).to_have_count(1)
    assert share_of_gray(read_pixels(page)) < 0.2 * before
    assert edits_of(page, tmp_path) == [{"ban": "#989898"}]


def test_gray_can_be_typed_and_picked_from_the_photo(page, photo):
    open_photo(page, photo)
    count = page.locator("#wheel .spot").count()
    for i, text in enumerate(("#808080", "gray", "000000")):
        add_color(page, text)
        expect(page.locator("#wheel .spot")).to_have_count(count + 1 + i)
        assert page.locator("#wheel .spot").last.get_attribute("aria-label").endswith("gray")
    rgb = read_pixels(page)
    ab = rgb_to_oklab(rgb.astype(np.float32) / 255)[..., 1:]
    y, x = np.unravel_index(np.hypot(ab[..., 0], ab[..., 1]).argmin(), rgb.shape[:2])
    page.keyboard.press("Escape")
    click_photo(page, (x + 0.5) / rgb.shape[1], (y + 0.5) / rgb.shape[0])
    chosen = page.locator("#wheel .spot.selected")
    expect(chosen).to_have_count(1)
    assert chosen.get_attribute("aria-label").endswith("gray")


def test_a_double_click_in_the_middle_adds_gray_where_there_is_none(page, photo, tmp_path):
    open_photo(page, photo)
    file = tmp_path / "sea.json"
    about = {"version": 1, "neutral": 0, "colors": [{"color": "#3070c0", "share": 1}]}
    file.write_text(json.dumps(about))
    page.set_input_files("#load-file", str(file))
    expect(page.locator("#message")).to_contain_text("Loaded sea.json")
    count = page.locator("#wheel .spot").count()
    page.locator("#wheel").scroll_into_view_if_needed()
    page.mouse.dblclick(*middle_of(page))
    expect(page.locator("#wheel .spot")).to_have_count(count + 1)
    assert edits_of(page, tmp_path) == [{"boost": "#989898", "share": 0.1}]
