"""The editor as a person uses it: the real command, a real headless browser."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from server.editor.conftest import (
    add_color,
    chroma,
    click_photo,
    color_of,
    drag,
    open_photo,
    read_pixels,
    set_slider,
    wait_for,
    wait_until_settled,
)
from tintype.color import hue_degrees, rgb_to_oklab


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_dropped_or_pasted_photo_is_colored(page, photo, kind):
    expect(page.locator("#welcome")).to_be_visible()
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
    assert abs(chroma(read_pixels(page))) > 0.005
    expect(page.locator("#wheel .spot").first).to_be_visible()
    expect(page.locator("#welcome")).to_be_hidden()


def test_all_can_be_tinted_and_undo_takes_it_back(page, photo):
    open_photo(page, photo)
    before = read_pixels(page)
    set_slider(page, "tint-hue", 250)
    set_slider(page, "tint", 0.5)
    blue = read_pixels(page)
    moved = chroma(blue) - chroma(before)
    assert 200 < hue_degrees(np.array([moved.real, moved.imag])) < 290
    assert abs(moved) > 0.01
    pair = page.locator(".answers .pair")
    expect(pair).to_have_count(1)
    assert re.search(r"blue.* \d+ %", pair.get_attribute("aria-label"))
    page.locator("#tint").press("ArrowUp")
    expect(page.locator("#tint-out")).to_have_text("51 %")
    for reach in ("50 %", "30 %", "0 %"):
        page.locator("#undo").click()
        expect(page.locator("#tint-out")).to_have_text(reach)
    np.testing.assert_array_equal(read_pixels(page), before)
    page.locator("#redo").click()
    page.locator("#redo").click()
    np.testing.assert_array_equal(read_pixels(page), blue)
    page.locator("#reset").click()
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
    page.locator(".color.chosen .eye").click()
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
    page.keyboard.press("Control+z")
    assert 42 < (float(spot.get_attribute("aria-valuenow")) - hue) % 360 < 69
    page.keyboard.press("Control+y")
    assert 45 < (float(spot.get_attribute("aria-valuenow")) - hue) % 360 < 75


def test_a_typed_color_is_added_and_a_wrong_one_is_explained(page, photo):
    open_photo(page, photo)
    spots = page.locator("#wheel .spot")
    count = spots.count()
    for i, text in enumerate(("#2050c0", "Navy", "hue:120", "0f8", "cornflowerblue")):
        add_color(page, text)
        expect(spots).to_have_count(count + 1 + i)
        expect(page.locator(".color.chosen .pick")).to_have_count(1)
    assert page.locator("#hex").input_value() == "#6495ed"  # as CSS has it
    page.locator("#hex").fill("grayish")
    page.locator("#hex").press("Enter")
    expect(page.locator("#panel .wrong")).to_contain_text("#rrggbb")
    expect(spots).to_have_count(count + 5)
    page.locator("#hex").fill("rose")
    expect(page.locator("li.chosen .name")).not_to_have_text(re.compile("blue"))
    page.keyboard.press("Tab")  # a color that is only typed goes again
    expect(page.locator("#hex")).to_have_value("#6495ed")
    page.get_by_role("button", name="oxblood").click()
    assert page.locator("#hex").input_value() == "#6a2421"
    assert page.evaluate("JSON.parse(localStorage['tintype.colors'])[0]") == "#6a2421"
    page.locator(".color.chosen .eye").click()
    expect(spots).to_have_count(count + 4)
    worn = page.evaluate(  # a vivid blue's shadows are blue, what has hardly a color is gray
        """import('/color.js').then(({ chromaOf, nearest }) =>
            ['#4953a0', '#8a8784', '#905030'].map((color) =>
                nearest(chromaOf(color), ['#0000ff', '#a0522d'].map(chromaOf))))"""
    )
    assert worn == [0, None, 1]


def test_a_click_on_bare_wheel_changes_nothing_but_a_second_adds(page, photo):
    open_photo(page, photo)
    before = read_pixels(page)
    spots, offer = page.locator("#wheel .spot"), page.locator("#wheel .offer")
    count = spots.count()
    page.locator("#wheel").scroll_into_view_if_needed()
    box = page.locator("#wheel").bounding_box()
    at = box["x"] + 0.2 * box["width"], box["y"] + 0.75 * box["height"]  # blue
    page.mouse.click(*at)
    expect(offer).to_be_visible()
    assert "blue" in offer.get_attribute("aria-label")
    expect(spots).to_have_count(count)
    np.testing.assert_array_equal(read_pixels(page), before)
    page.keyboard.press("Escape")
    expect(offer).to_be_hidden()
    page.mouse.click(*at)
    page.mouse.click(*at)
    expect(spots).to_have_count(count + 1)
    assert (read_pixels(page) != before).any()
    page.locator("#undo").click()
    expect(spots).to_have_count(count)


def test_a_spot_under_another_is_reached_by_a_second_click(page, photo):
    open_photo(page, photo)
    for text in ("#2050c0", "#2050c1"):
        add_color(page, text)
    spots = page.locator("#wheel .spot")
    page.locator("#wheel").evaluate("wheel => wheel.scrollIntoView()")
    box = spots.last.locator(".body").bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    chosen = []
    for _ in range(3):
        page.mouse.click(*at)
        page.wait_for_timeout(50)
        chosen.append(page.locator("#wheel .spot.selected").get_attribute("data-index"))
    assert chosen[0] == chosen[2] != chosen[1], chosen


def test_the_list_says_how_much_and_where(page, photo):
    open_photo(page, photo)
    rows = page.locator("ul.colors .color")
    expect(rows).to_have_count(page.locator("#wheel .spot").count())
    shares = [
        int(text.rstrip(" %").lstrip("< ")) for text in rows.locator(".share").all_inner_texts()
    ]
    assert 95 < sum(shares) < 105
    lit = rows.locator("canvas").evaluate_all(
        """all => all.map(canvas => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            let count = 0;
            for (let i = 3; i < data.length; i += 4) count += data[i] === 255;
            return 100 * count / (data.length / 4);
        })"""
    )
    np.testing.assert_allclose(lit, shares, atol=1)
    assert page.locator("#save").is_visible()  # always in sight


def test_strength_goes_from_gray_to_more_than_estimated(page, photo):
    open_photo(page, photo)

    def mean() -> float:
        ab = rgb_to_oklab(read_pixels(page).astype(np.float32) / 255)[..., 1:]
        return float(np.hypot(ab[..., 0], ab[..., 1]).mean())

    estimated = mean()
    means = []
    for strength in (0, 0.5, 1, 1.5, 2):
        set_slider(page, "strength", strength)
        means.append(mean())
    assert means[0] < 0.003
    assert means[2] == estimated
    assert (np.diff(means) > 0.1 * estimated).all()
    page.get_by_role("button", name="Faded").click()
    assert 0.3 * estimated < mean() < 0.8 * estimated


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
    np.testing.assert_array_equal(read_pixels(page), automatic)
    tiles = page.locator("#variants img")
    assert min(color_of(tile) for tile in tiles.all()) > 4
    set_slider(page, "strength", 0)  # which is kept
    page.locator("#variants").evaluate("row => row.scrollIntoView()")  # for only then they follow
    wait_for(lambda: max(color_of(tile) for tile in tiles.all()) < 1)


def drop_on_wheel(page, picture) -> None:
    page.locator("#wheel").evaluate(
        """(wheel, [content, name]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], name, {type: 'image/png'}));
            const how = {dataTransfer: data, bubbles: true, cancelable: true};
            wheel.dispatchEvent(new DragEvent('drop', how));
        }""",
        [list(picture.read_bytes()), picture.name],
    )


def test_a_photo_dropped_on_the_wheel_gives_its_colors_if_it_has_any(page, photo, tmp_path):
    open_photo(page, photo)
    fog, sea = tmp_path / "fog.png", tmp_path / "sea.png"
    Image.new("RGB", (64, 64), "#808080").save(fog)
    Image.new("RGB", (64, 64), "#3070c0").save(sea)
    drop_on_wheel(page, sea)
    expect(page.locator("#message")).to_contain_text("Loaded sea.png")
    blue = read_pixels(page)
    moved = chroma(blue)
    assert 220 < hue_degrees(np.array([moved.real, moved.imag])) < 290
    expect(page.locator("#photos img")).to_have_count(1)
    drop_on_wheel(page, fog)
    expect(page.locator("#message")).to_contain_text("fog.png has no colors")
    np.testing.assert_array_equal(read_pixels(page), blue)
    page.get_by_role("button", name="Color it").click()
    expect(page.locator("#photos img")).to_have_count(2)


def test_full_screen(page, photo):
    open_photo(page, photo)
    page.locator("#screen").click()
    page.wait_for_timeout(300)
    assert page.evaluate("document.fullscreenElement?.localName") == "main"
    expect(page.locator("#panel")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#panel")).to_be_hidden()
    page.keyboard.press("p")
    page.keyboard.press("?")
    help = page.get_by_role("dialog", name="Help")
    for text in (
        "Ctrl Y",
        "Color the thing at the cursor",
        "Delete the pin",
        "A smaller or larger brush",
    ):
        expect(help).to_contain_text(text)


def test_a_click_on_the_photo_chooses_its_color_and_a_hover_lights_it_up(page, photo):
    open_photo(page, photo)
    click_photo(page, 0.2, 0.4)
    expect(page.locator("#wheel .spot.selected")).to_have_count(1)
    page.keyboard.press("Escape")
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
