"""The editor as a person uses it: the real command, a real headless browser."""

import json

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from server.editor.conftest import (
    chroma,
    click_photo,
    drag,
    open_photo,
    read_pixels,
    wait_until_settled,
)
from tintype.color import hue_degrees, rgb_to_oklab


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_dropped_or_pasted_photo_is_colored(page, photo, kind):
    expect(page.get_by_text("Drop a black-and-white photograph")).to_be_visible()
    content = list(photo.read_bytes())
    page.evaluate_handle(
        """([content, name, kind]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], name, {type: 'image/jpeg'}));
            dispatchEvent(kind === 'drop'
                ? new DragEvent('drop', {dataTransfer: data, cancelable: true})
                : new ClipboardEvent('paste', {clipboardData: data}));
        }""",
        [content, photo.name, kind],
    )
    expect(page.locator("#variants img")).to_have_count(5)
    wait_until_settled(page)
    assert abs(chroma(read_pixels(page))) > 0.005
    expect(page.locator("#wheel .spot").first).to_be_visible()
    expect(page.get_by_text("Drop a black-and-white photograph")).to_be_hidden()


def test_dragging_the_middle_tints_and_undo_takes_it_back(page, photo):
    open_photo(page, photo)
    before = read_pixels(page)
    wheel = page.locator("#wheel").bounding_box()
    drag(page, page.locator("#wheel .puck"), -0.1 * wheel["width"], 0.3 * wheel["height"])
    blue = read_pixels(page)
    moved = chroma(blue) - chroma(before)
    assert 200 < hue_degrees(np.array([moved.real, moved.imag])) < 290
    assert abs(moved) > 0.01
    expect(page.locator("#reach")).to_be_visible()
    expect(page.locator("#reached-out")).to_contain_text("%")
    page.locator("#undo").click()
    wait_until_settled(page)
    np.testing.assert_array_equal(read_pixels(page), before)
    page.locator("#redo").click()
    wait_until_settled(page)
    np.testing.assert_array_equal(read_pixels(page), blue)
    page.locator("#reset").click()
    wait_until_settled(page)
    np.testing.assert_array_equal(read_pixels(page), before)


def test_dragging_a_spot_moves_that_color(page, photo):
    open_photo(page, photo)
    before = chroma(read_pixels(page))
    spot = page.locator("#wheel .spot").first
    wheel = page.locator("#wheel").bounding_box()
    box = spot.bounding_box()
    center = (wheel["x"] + wheel["width"] / 2, wheel["y"] + wheel["height"] / 2)
    dx = 2 * (center[0] - box["x"] - box["width"] / 2)
    dy = 2 * (center[1] - box["y"] - box["height"] / 2)
    drag(page, spot, dx, dy)  # to the other side: the complementary hue
    after = chroma(read_pixels(page))
    towards = -before / abs(before)
    assert ((after - before) * towards.conjugate()).real > 0.004


def test_a_banned_color_is_gone(page, photo):
    open_photo(page, photo)
    spot = page.locator("#wheel .spot").first
    spot.focus()
    hue = float(spot.get_attribute("aria-valuenow"))

    def wearing() -> float:
        ab = rgb_to_oklab(read_pixels(page).astype(np.float32) / 255)[..., 1:]
        away = np.abs((hue_degrees(ab) - hue + 180) % 360 - 180)
        return float(((away < 12) & (np.hypot(ab[..., 0], ab[..., 1]) > 0.03)).mean())

    before = wearing()
    page.locator("#ban").click()
    wait_until_settled(page)
    assert before > 0.02
    assert wearing() < 0.1 * before
    expect(page.locator("#wheel .spot.banned")).to_have_count(1)
    spot.press("Delete")
    expect(page.locator("#wheel .spot.banned")).to_have_count(0)


def test_the_wheel_works_by_keyboard(page, photo):
    open_photo(page, photo)
    before = read_pixels(page)
    spot = page.locator("#wheel .spot").first
    spot.focus()
    hue = float(spot.get_attribute("aria-valuenow"))
    for _ in range(10):
        spot.press("ArrowLeft")
    wait_until_settled(page)
    turned = (float(spot.get_attribute("aria-valuenow")) - hue) % 360
    assert 45 < turned < 75
    assert (read_pixels(page) != before).any()
    page.locator("#wheel .puck").focus()
    page.keyboard.press("ArrowUp")
    assert page.locator("#wheel .puck").get_attribute("aria-valuetext").endswith("5 %")
    page.keyboard.press("Control+z")
    assert page.locator("#wheel .puck").get_attribute("aria-valuetext") == "no"


def test_a_typed_color_is_added_and_a_wrong_one_is_explained(page, photo):
    open_photo(page, photo)
    count = page.locator("#wheel .spot").count()
    page.locator("#hex").fill("#2050c0")
    page.locator("#hex").press("Enter")
    expect(page.locator("#wheel .spot")).to_have_count(count + 1)
    page.locator("#hex").fill("grayish")
    page.locator("#hex").press("Enter")
    expect(page.locator("#message")).to_contain_text("#rrggbb")
    page.locator("#hex").fill("#2050c0")
    page.locator("#hex").press("Enter")
    page.locator("#ban").click()
    expect(page.locator("#wheel .spot")).to_have_count(count)


def test_a_palette_can_be_loaded_and_a_variant_chosen(page, photo, tmp_path):
    open_photo(page, photo)
    automatic = read_pixels(page)
    file = tmp_path / "sea.json"
    about = {"version": 1, "neutral": 0.2, "colors": [{"color": "#3070c0", "share": 0.8}]}
    file.write_text(json.dumps(about))
    page.set_input_files("#load-file", str(file))
    expect(page.locator("#message")).to_contain_text("Loaded sea.json")
    wait_until_settled(page)
    health = page.request.get(page.url + "v1/health").json()
    assert float(page.locator("#vividness").input_value()) == health["vividness_given"]
    blue = chroma(read_pixels(page))
    assert 220 < hue_degrees(np.array([blue.real, blue.imag])) < 290
    page.get_by_role("button", name="Variant 3").click()
    wait_until_settled(page)
    assert page.get_by_role("button", name="Variant 3").get_attribute("aria-pressed") == "true"
    variant = read_pixels(page)
    assert (variant != automatic).any()
    page.get_by_role("button", name="Automatic").click()
    wait_until_settled(page)
    np.testing.assert_array_equal(read_pixels(page), automatic)


def test_a_photo_dropped_on_the_wheel_gives_its_colors(page, photo, tmp_path):
    open_photo(page, photo)
    sea = tmp_path / "sea.png"
    Image.new("RGB", (64, 64), "#3070c0").save(sea)
    page.locator("#wheel").evaluate(
        """(wheel, content) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], 'sea.png', {type: 'image/png'}));
            const how = {dataTransfer: data, bubbles: true, cancelable: true};
            wheel.dispatchEvent(new DragEvent('drop', how));
        }""",
        list(sea.read_bytes()),
    )
    expect(page.locator("#message")).to_contain_text("Loaded sea.png")
    wait_until_settled(page)
    blue = chroma(read_pixels(page))
    assert 220 < hue_degrees(np.array([blue.real, blue.imag])) < 290
    expect(page.locator("#photos img")).to_have_count(1)


def test_full_screen(page, photo):
    open_photo(page, photo)
    page.locator("#screen").click()
    page.wait_for_timeout(300)
    assert page.evaluate("document.fullscreenElement?.className") == "stage"


def test_a_click_on_the_photo_chooses_its_color_and_a_hover_lights_it_up(page, photo):
    open_photo(page, photo)
    page.locator("#hex").fill("")
    click_photo(page, 0.2, 0.4)
    expect(page.locator("#wheel .spot.selected")).to_have_count(1)
    page.locator("#wheel .spot").first.hover(force=True)
    page.wait_for_timeout(600)
    veiled = page.locator("photo-viewer .light").evaluate("canvas => canvas.width > 1")
    assert veiled


def test_before_and_after(page, photo):
    open_photo(page, photo)
    divider = page.get_by_role("slider", name="Before and after")
    assert divider.get_attribute("aria-valuenow") == "0"
    page.locator("#gray").click()
    assert divider.get_attribute("aria-valuenow") == "50"
    divider.press("ArrowRight")
    assert divider.get_attribute("aria-valuenow") == "55"
    drag(page, divider, 60, 0)
    assert float(divider.get_attribute("aria-valuenow")) > 60
