"""Color here: pins on the photo, their pop-over and their brush, by mouse, keys and finger.

The photo is a cup of coffee on a table; the coffee lies about (0.5, 0.3), nothing of it below 0.6.
"""

import json
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from server.editor.conftest import (
    AXE,
    download,
    open_photo,
    read_pixels,
    wait_for,
    wait_until_settled,
)
from server.editor.test_accessibility import violations
from tintype.color import hue_degrees, hue_distance, rgb_to_oklab
from tintype.pins import read_mask, write_mask

COFFEE, TABLE = (0.5, 0.3), (0.85, 0.75)
COFFEE_PARTS = [(0.34, 0.3), COFFEE, (0.64, 0.3), (0.5, 0.2)]
desk = pytest.mark.parametrize("page", ["desk"], indirect=True)
phone = pytest.mark.parametrize("page", ["phone"], indirect=True)


def screen(page, place) -> tuple[float, float]:
    """Where a place of the photo is on the page, pixels."""
    x, y = place
    at = page.locator("photo-viewer").evaluate(
        """(viewer, place) => {
            const { left, top } = viewer.getBoundingClientRect();
            const { x, y } = viewer.screenOf(place);
            return [left + x, top + y];
        }""",
        {"x": x, "y": y},
    )
    return tuple(at)


def changes(before, after) -> np.ndarray:
    """(h, w) how far each pixel's RGB moved."""
    return np.abs(before.astype(int) - after.astype(int)).max(-1)


def crop(image, place, half=0.05) -> np.ndarray:
    """What is about a place."""
    (h, w), (x, y) = image.shape[:2], place
    rows = slice(int((y - half) * h), int((y + half) * h))
    return image[rows, int((x - half) * w) : int((x + half) * w)]


def has_hue(rgb, color: str) -> bool:
    """Whether a part of a photo has the hue of a color, and visibly."""
    ab = rgb_to_oklab(rgb / 255)[..., 1:].mean((0, 1))
    wanted = rgb_to_oklab(np.array(list(bytes.fromhex(color[1:]))) / 255)[1:]
    near = hue_distance(hue_degrees(ab), hue_degrees(wanted)) < 12
    return bool(near and np.hypot(*ab) > 0.02)


def pins_of(page, folder) -> list:
    return json.loads(download(page, "#save-recipe", folder).read_text())["edits"]


def covers(page, element: str, place) -> bool:
    box = page.locator(element).bounding_box()
    x, y = screen(page, place)
    return box["x"] < x < box["x"] + box["width"] and box["y"] < y < box["y"] + box["height"]


def check_files_agree(page, photo, folder, command) -> None:
    """What is saved is, byte by byte, what the copied command makes."""
    saved = download(page, "#save", folder)
    download(page, "#copy", folder)
    words = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    (folder / photo.name).write_bytes(photo.read_bytes())
    content = saved.read_bytes()
    saved.unlink()
    subprocess.run([command, *words[1:]], cwd=folder, check=True, capture_output=True)
    assert saved.read_bytes() == content


@desk
def test_a_click_colors_the_thing_and_no_other(page, photo, address, tmp_path, tintype_command):
    page.context.add_init_script(path=AXE)
    page.goto(address)
    open_photo(page, photo)
    before = read_pixels(page)
    popover, undo = page.locator(".popover"), page.locator("#undo")
    page.mouse.click(*screen(page, COFFEE))
    expect(popover.locator(".swatch[data-color]")).to_have_count(5)
    expect(page.locator(".popover .progress")).to_be_hidden()
    for part in COFFEE_PARTS:
        assert not covers(page, ".popover", part)
    assert violations(page) == []
    likely = popover.locator(".swatch").nth(2)
    likely.hover()
    assert crop(changes(before, read_pixels(page)), COFFEE).max() > 2
    page.locator("button.pin").dispatch_event("click")  # that is looked at, and none yet
    page.mouse.move(5, 5)
    assert np.array_equal(read_pixels(page), before)
    popover.get_by_role("button", name="navy").hover()  # the panel's field, the period's colors too
    assert crop(changes(before, read_pixels(page)), COFFEE).max() > 2
    page.mouse.move(5, 5)
    assert np.array_equal(read_pixels(page), before)
    expect(undo).to_be_disabled()

    popover.locator("#pin-color").fill("#2060d0")
    popover.locator("#pin-color").press("Enter")
    blue = read_pixels(page)
    assert has_hue(crop(blue, COFFEE, 0.02), "#2060d0")
    assert changes(before, blue)[int(0.6 * len(blue)) :].max() <= 1
    assert pins_of(page, tmp_path) == [{"at": list(COFFEE), "color": "#2060d0"}]

    x, y = screen(page, COFFEE)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    page.mouse.wheel(0, -100)
    expect(popover.locator(".reach")).to_have_attribute("aria-valuetext", "58 %")
    expect(undo).to_be_enabled()
    page.wait_for_timeout(500)
    assert pins_of(page, tmp_path)[0]["reach"] == 0.58
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    popover.press("Escape")  # before the wheel rests: it is kept
    undo.click()
    assert pins_of(page, tmp_path)[0]["reach"] == 0.58
    page.mouse.click(x, y)
    popover.locator(".auto").click()
    assert "reach" not in pins_of(page, tmp_path)[0]

    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*screen(page, TABLE), steps=6)
    page.mouse.up()
    moved = read_pixels(page)
    assert has_hue(crop(moved, TABLE, 0.02), "#2060d0")
    assert crop(changes(before, moved), COFFEE).max() <= 1
    check_files_agree(page, photo, tmp_path, tintype_command)
    for _ in range(3):  # the drag, its reach's return and the wheel: one step each
        undo.click()
    assert np.array_equal(read_pixels(page), blue)
    expect(popover).to_be_visible()
    undo.click()
    expect(popover).to_be_hidden()
    expect(page.locator("button.pin")).to_have_count(0)


@desk
def test_everywhere_recolors_and_only_here_takes_it_back(page, photo, tmp_path):
    open_photo(page, photo)
    before = read_pixels(page)
    page.mouse.click(*screen(page, TABLE))
    popover = page.locator(".popover")
    popover.locator("[value=everywhere]").check()
    popover.locator("#pin-color").fill("#2060d0")
    popover.locator("#pin-color").press("Enter")
    wait_until_settled(page)
    (edit,) = pins_of(page, tmp_path)
    assert [one["to"] for one in edit["recolor"] if one["to"] != one["from"]] == ["#2060d0"]
    everywhere = (changes(before, read_pixels(page)) > 3).mean()
    popover.locator("[value=here]").check()
    wait_until_settled(page)
    assert pins_of(page, tmp_path) == [{"at": list(TABLE), "color": "#2060d0"}]
    assert 0 < (changes(before, read_pixels(page)) > 3).mean() < everywhere
    popover.locator("[data-color=keep]").click()
    assert pins_of(page, tmp_path)[0]["color"] == "keep"
    popover.locator("[data-color=auto]").hover()  # what is only looked at is not saved
    wait_until_settled(page)
    with page.expect_download() as saving:
        page.locator("#save-recipe").dispatch_event("click")
    (edit,) = json.loads(Path(saving.value.path()).read_text())["edits"]
    assert edit["color"] == "keep"
    popover.locator("#pin-color").fill("no color")
    popover.locator("#pin-color").press("Enter")
    expect(popover.locator(".wrong")).to_contain_text("no color")
    popover.locator(".delete").click()
    expect(popover).to_be_hidden()
    assert np.array_equal(read_pixels(page), before)


@desk
def test_keys_lead_to_a_pin_and_a_brush_to_a_mask(page, photo, tmp_path, tintype_command):
    open_photo(page, photo)
    page.locator("photo-viewer canvas").first.focus()
    page.keyboard.press("ArrowLeft")  # where it begins
    page.keyboard.press("Shift+ArrowRight")
    spoken = page.locator("photo-viewer [role=status]")
    expect(spoken).to_contain_text("% from the left")
    page.keyboard.press("Enter")
    popover = page.locator(".popover")
    expect(popover).to_be_focused()
    page.keyboard.press("Escape")
    expect(popover).to_be_hidden()
    expect(page.locator("photo-viewer canvas").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(popover.locator(".swatch[data-color]")).to_have_count(5)
    popover.locator("#pin-color").fill("#2060d0")
    popover.locator("#pin-color").press("Enter")
    (pin,) = pins_of(page, tmp_path)
    assert pin["at"][0] > 0.5
    page.locator("button.pin").focus()
    page.keyboard.down("ArrowUp")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.up("ArrowUp")
    assert pins_of(page, tmp_path)[0]["at"][1] < pin["at"][1]
    page.locator("#undo").click()
    assert pins_of(page, tmp_path) == [pin]
    before = read_pixels(page)

    popover.locator(".brush").click()
    tools = page.locator(".brush-tools")
    expect(tools).to_be_visible()
    for _ in range(3):
        page.keyboard.press("]")
    paint(page, TABLE)
    page.keyboard.down("Alt")
    paint(page, pin["at"])
    page.keyboard.up("Alt")
    paint(page, (0.1, 0.9))
    page.keyboard.press("Control+z")  # the last stroke
    tools.locator(".done").click()
    expect(tools).to_be_hidden()
    wait_until_settled(page)
    (edit,) = pins_of(page, tmp_path)
    mask = read_mask(edit["mask"])
    assert edit["color"] == "#2060d0"
    assert 2**17 > mask.size > 2**16  # as large as the region, which is as large as this photo
    assert crop(mask, TABLE, 0.01).min() == 1
    assert crop(mask, pin["at"], 0.01).max() == crop(mask, (0.1, 0.9), 0.01).max() == 0
    assert has_hue(crop(read_pixels(page), TABLE, 0.01), "#2060d0")
    check_files_agree(page, photo, tmp_path, tintype_command)
    page.locator("#undo").click()
    assert np.array_equal(read_pixels(page), before)
    assert pins_of(page, tmp_path) == [pin]
    page.locator("button.pin").focus()
    page.keyboard.press("Delete")
    expect(page.locator("button.pin")).to_have_count(0)


def paint(page, place) -> None:
    x, y = screen(page, place)
    page.mouse.move(x - 8, y)
    page.mouse.down()
    page.mouse.move(x + 8, y, steps=3)
    page.mouse.up()


@phone
def test_on_a_phone_a_sheet_asks_and_the_last_tap_counts(page, photo, address, tmp_path):
    page.context.add_init_script(path=AXE)
    page.goto(address)
    open_photo(page, photo)
    asked = []

    def delay(route):
        asked.append(route.request.post_data_json["at"])
        if len(asked) == 1:
            page.wait_for_timeout(300)
        route.continue_()

    page.route("**/region", delay)
    page.evaluate(
        """() => {
            const viewer = document.querySelector('photo-viewer');
            const outline = viewer.outline;
            window.outlines = [];
            viewer.outline = (mask, width, ...rest) => {
                if (mask) outlines.push(mask[Math.floor(0.3 * mask.length / width) * width
                    + Math.floor(width / 2)]);
                return outline.call(viewer, mask, width, ...rest);
            };
        }"""
    )
    page.touchscreen.tap(*screen(page, TABLE))
    page.touchscreen.tap(*screen(page, COFFEE))
    popover = page.locator(".popover")
    expect(popover.locator(".swatch[data-color]")).to_have_count(5)
    wait_until_settled(page)
    outlines = page.evaluate("outlines")
    assert len(asked) == 2
    assert outlines
    assert min(outlines) > 127
    box = popover.bounding_box()
    assert box["y"] + box["height"] == 740
    assert box["width"] == 360
    assert not covers(page, ".popover", COFFEE)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for button in popover.locator("button:visible").all():
        assert min(button.bounding_box()[side] for side in ("width", "height")) >= 40
    assert popover.evaluate("sheet => sheet.scrollHeight <= sheet.clientHeight")
    assert violations(page) == []
    popover.locator("[data-color=gray]").tap()
    part = crop(read_pixels(page), COFFEE, 0.02)
    assert np.abs(rgb_to_oklab(part / 255)[..., 1:]).max() < 0.02

    pins = [
        {"at": ["100px", "60px"], "color": "navy", "reach": 0.2},
        {"mask": write_mask(Image.fromarray(np.uint8([[0, 255]]))), "color": "#a04020"},
        {"protect": write_mask(Image.fromarray(np.uint8([[255], [0]])))},
    ]
    file = tmp_path / "pins.json"
    file.write_text(json.dumps({"version": 2, "edits": pins}))
    page.set_input_files("#load-file", str(file))
    marks = page.locator("button.pin")
    expect(marks).to_have_text(["", "Mask 1", "Mask 2"])
    box, (x, y) = marks.first.bounding_box(), screen(page, (100.5 / 400, 60.5 / 267))
    assert abs(box["x"] + box["width"] / 2 - x) < 1
    assert abs(box["y"] + box["height"] / 2 - y) < 1
    marks.nth(1).tap()
    expect(popover.locator("h2")).to_have_text("Mask 1")
    assert popover.locator(".reach").is_hidden()
    popover.locator(".close").tap()
    assert pins_of(page, tmp_path) == pins


@phone
def test_a_second_finger_takes_the_stroke_back_and_moves_the_photo(page, photo, tmp_path):
    open_photo(page, photo)
    page.touchscreen.tap(*screen(page, COFFEE))
    page.locator(".popover [data-color=gray]").tap()
    page.locator(".popover .brush").tap()
    expect(page.locator(".brush-tools")).to_be_visible()
    cdp = page.context.new_cdp_session(page)

    def touch(kind, *fingers):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(fingers)]
        cdp.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def zoom() -> float:
        return page.locator("photo-viewer").evaluate("viewer => viewer.zoom")

    stroke = (0.15, 0.8)  # none of the coffee
    x, y = screen(page, stroke)
    touch("Start", (x, y))
    touch("Move", (x + 20, y))
    touch("Start", (x + 20, y), (x + 80, y))
    touch("Move", (x + 10, y), (x + 160, y))
    wait_for(lambda: zoom() == pytest.approx(150 / 60, rel=0.02))
    before = screen(page, COFFEE)
    touch("Move", (x - 10, y + 40), (x + 140, y + 40))  # both, as far: the photo goes along
    wait_for(lambda: np.allclose(np.subtract(screen(page, COFFEE), before), (-20, 40), atol=2))
    assert zoom() == pytest.approx(150 / 60, rel=0.02)
    touch("End")
    place = screen(page, (0.5, 0.65))
    touch("Start", place)
    touch("End")
    page.locator(".brush-tools .done").tap()
    page.locator(".popover .close").tap()
    wait_until_settled(page)
    (edit,) = pins_of(page, tmp_path)
    mask = read_mask(edit["mask"])
    assert crop(mask, stroke, 0.01).max() == crop(mask, (0.2, 0.8), 0.01).max() == 0
    assert crop(mask, (0.5, 0.65), 0.01).min() == 1
