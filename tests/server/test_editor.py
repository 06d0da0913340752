"""The editor as a person uses it: the real command, a real headless browser."""

import base64
import io
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from server.conftest import coffee
from tintype.color import hue_degrees, rgb_to_oklab

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = os.environ.get("SCREENSHOTS")  # a folder where CI keeps what the pages looked like
SIZES = {"desk": (1280, 800), "phone": (360, 740)}
QUIET = [
    f"--{flag}"
    for flag in (
        "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
        "disable-background-networking", "disable-component-update",
    )
]  # fmt: skip


@pytest.fixture(scope="session")
def address(serving):
    return serving("serve")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield browser
        browser.close()


def unexpected(message) -> bool:
    """Chromium reports refused requests as errors, which the page shows in words."""
    return message.type == "error" and not re.search("status of (404|422)", message.text)


@pytest.fixture(params=SIZES)
def page(request, browser, address):
    """The editor, empty; whatever it complains of fails the test."""
    width, height = SIZES[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=request.param == "phone",
        color_scheme="light" if request.param == "desk" else "dark",
        bypass_csp=False,
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if unexpected(m) else None)
    page.goto(address)
    yield page
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", request.node.name)
        page.screenshot(path=f"{PICTURES}/{name}.png")
    context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def photo(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("editor") / "my coffee.jpg"
    exif = Image.Exif()
    exif[0x010F] = "Kodak"
    coffee(400).convert("L").save(file, exif=exif)
    return file


def open_photo(page: Page, *photos: Path) -> None:
    """Choose photos and wait until the last is colored."""
    page.set_input_files("#files", [str(p) for p in photos])
    expect(page.locator("#photos img")).to_have_count(len(photos))
    expect(page.locator("#variants img")).to_have_count(5)
    settled(page)


def settled(page: Page) -> None:
    """Wait until nothing new is shown any more, however busy the machine."""
    before, now = "", "-"
    while now != before:
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(150)
        canvas = page.locator("photo-viewer .after")
        before, now = now, canvas.evaluate_all("all => all.map(c => c.toDataURL()).join()")


def shown(page: Page) -> np.ndarray:
    """(h, w, 3) uint8: the colored photo's own pixels."""
    canvas = page.locator("photo-viewer .after")
    address = canvas.evaluate("canvas => canvas.toDataURL('image/png')")
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    return np.asarray(picture.convert("RGB"))


def chroma(rgb: np.ndarray) -> complex:
    """Mean OKLab chroma."""
    ab = rgb_to_oklab(rgb.astype(np.float32) / 255)[..., 1:].mean((0, 1))
    return complex(*ab)


def drag(page: Page, locator, dx: float, dy: float) -> None:
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for part in np.linspace(0, 1, 8):
        page.mouse.move(x + part * dx, y + part * dy)
    page.mouse.up()
    settled(page)


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
    settled(page)
    assert abs(chroma(shown(page))) > 0.005
    expect(page.locator("#wheel .spot").first).to_be_visible()
    expect(page.get_by_text("Drop a black-and-white photograph")).to_be_hidden()


def test_dragging_the_middle_tints_and_undo_takes_it_back(page, photo):
    open_photo(page, photo)
    before = shown(page)
    wheel = page.locator("#wheel").bounding_box()
    drag(page, page.locator("#wheel .puck"), -0.1 * wheel["width"], 0.3 * wheel["height"])
    blue = shown(page)
    moved = chroma(blue) - chroma(before)
    assert 200 < hue_degrees(np.array([moved.real, moved.imag])) < 290
    assert abs(moved) > 0.01
    expect(page.locator("#wish")).to_be_visible()
    expect(page.locator("#reached-out")).to_contain_text("%")
    page.locator("#undo").click()
    settled(page)
    np.testing.assert_array_equal(shown(page), before)
    page.locator("#redo").click()
    settled(page)
    np.testing.assert_array_equal(shown(page), blue)
    page.locator("#reset").click()
    settled(page)
    np.testing.assert_array_equal(shown(page), before)


def test_dragging_a_spot_moves_that_color(page, photo):
    open_photo(page, photo)
    before = chroma(shown(page))
    spot = page.locator("#wheel .spot").first
    wheel = page.locator("#wheel").bounding_box()
    box = spot.bounding_box()
    center = (wheel["x"] + wheel["width"] / 2, wheel["y"] + wheel["height"] / 2)
    dx = 2 * (center[0] - box["x"] - box["width"] / 2)
    dy = 2 * (center[1] - box["y"] - box["height"] / 2)
    drag(page, spot, dx, dy)  # to the other side: the complementary hue
    after = chroma(shown(page))
    towards = -before / abs(before)
    assert ((after - before) * towards.conjugate()).real > 0.004


def test_a_banned_color_is_gone(page, photo):
    open_photo(page, photo)
    spot = page.locator("#wheel .spot").first
    spot.focus()
    hue = float(spot.get_attribute("aria-valuenow"))

    def wearing() -> float:
        ab = rgb_to_oklab(shown(page).astype(np.float32) / 255)[..., 1:]
        away = np.abs((hue_degrees(ab) - hue + 180) % 360 - 180)
        return float(((away < 12) & (np.hypot(ab[..., 0], ab[..., 1]) > 0.03)).mean())

    before = wearing()
    page.locator("#ban").click()
    settled(page)
    assert before > 0.02
    assert wearing() < 0.1 * before
    expect(page.locator("#wheel .spot.banned")).to_have_count(1)
    spot.press("Delete")
    expect(page.locator("#wheel .spot.banned")).to_have_count(0)


def test_the_wheel_works_by_keyboard(page, photo):
    open_photo(page, photo)
    before = shown(page)
    spot = page.locator("#wheel .spot").first
    spot.focus()
    hue = float(spot.get_attribute("aria-valuenow"))
    for _ in range(10):
        spot.press("ArrowLeft")
    settled(page)
    turned = (float(spot.get_attribute("aria-valuenow")) - hue) % 360
    assert 45 < turned < 75
    assert (shown(page) != before).any()
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
    automatic = shown(page)
    file = tmp_path / "sea.json"
    about = {"version": 1, "neutral": 0.2, "colors": [{"color": "#3070c0", "share": 0.8}]}
    file.write_text(json.dumps(about))
    page.set_input_files("#load-file", str(file))
    expect(page.locator("#message")).to_contain_text("Loaded sea.json")
    settled(page)
    health = page.request.get(page.url + "v1/health").json()
    assert float(page.locator("#vividness").input_value()) == health["vividness_given"]
    blue = chroma(shown(page))
    assert 220 < hue_degrees(np.array([blue.real, blue.imag])) < 290
    page.get_by_role("button", name="Variant 3").click()
    settled(page)
    assert page.get_by_role("button", name="Variant 3").get_attribute("aria-pressed") == "true"
    variant = shown(page)
    assert (variant != automatic).any()
    page.get_by_role("button", name="Automatic").click()
    settled(page)
    np.testing.assert_array_equal(shown(page), automatic)


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
    settled(page)
    blue = chroma(shown(page))
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
    page.locator("photo-viewer .after").click(position={"x": 60, "y": 120}, force=True)
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


def test_zoom_to_pixels_shows_the_full_size(page, tmp_path):
    large = tmp_path / "large.png"
    coffee(600).convert("L").resize((1800, 1200)).save(large)
    open_photo(page, large)
    page.locator("#pixels").click()
    page.wait_for_timeout(1000)
    settled(page)
    assert shown(page).shape == (1200, 1800, 3)
    page.locator("#fit").click()


def saved(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.locator(button).click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


@pytest.mark.parametrize("strip", [False, True])
def test_the_copied_command_makes_the_same_file(page, photo, tmp_path, tintype_command, strip):
    open_photo(page, photo)
    drag(page, page.locator("#wheel .spot").first, 40, 25)
    page.locator("#saturation").fill("1.3")
    page.get_by_role("button", name="Hand-tinted").click()
    page.locator("#hex").fill("#208040")
    page.locator("#hex").press("Enter")
    if strip:
        page.locator("#strip").check()
        page.locator("#format").select_option("PNG")
    settled(page)
    downloaded = saved(page, "#save", tmp_path / "downloads")
    recipe = saved(page, "#copy", tmp_path)
    expect(page.locator("#message")).to_contain_text("clipboard")
    command = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"my coffee\.[0-9a-f]{8}\.recipe\.json", recipe.name)
    assert downloaded.name == f"my coffee.color.{'png' if strip else 'jpg'}"
    (tmp_path / photo.name).write_bytes(photo.read_bytes())
    words = shlex.split(command)
    assert words[0] == "tintype"
    subprocess.run([tintype_command, *words[1:]], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / downloaded.name).read_bytes() == downloaded.read_bytes()
    with Image.open(downloaded) as image:
        assert (0x010F in image.getexif()) is not strip


def test_a_saved_recipe_can_be_loaded_again(page, photo, tmp_path):
    open_photo(page, photo)
    page.get_by_role("button", name="Cool").click()
    settled(page)
    cool = shown(page)
    recipe = saved(page, "#save-recipe", tmp_path)
    page.locator("#reset").click()
    page.set_input_files("#load-file", str(recipe))
    expect(page.locator("#message")).to_contain_text("Loaded")
    settled(page)
    np.testing.assert_array_equal(shown(page), cool)


def test_a_saved_palette_is_what_is_asked_for(page, photo, tmp_path):
    open_photo(page, photo)
    page.get_by_role("button", name="Warm").click()
    settled(page)
    about = json.loads(saved(page, "#save-palette", tmp_path).read_text())
    assert about["version"] == 1
    assert about["colors"]


def test_a_references_tones_are_kept(page, photo, tmp_path):
    """By the recipe and the palette that are saved, and through an edit and another loading."""
    reference = tmp_path / "reference.png"
    coffee(200).save(reference)
    open_photo(page, photo)
    page.set_input_files("#load-file", str(reference))
    expect(page.locator("#message")).to_contain_text("Loaded reference.png")
    page.get_by_role("button", name="Cool").click()
    settled(page)
    cool = shown(page)
    recipe = saved(page, "#save-recipe", tmp_path)
    assert json.loads(recipe.read_text())["palette"]["tones"]["shadows"]["colors"]
    assert json.loads(saved(page, "#save-palette", tmp_path).read_text())["tones"]
    page.locator("#reset").click()
    page.set_input_files("#load-file", str(recipe))
    expect(page.locator("#message")).to_contain_text("Loaded")
    settled(page)
    np.testing.assert_array_equal(shown(page), cool)
    assert json.loads(saved(page, "#save-recipe", tmp_path).read_text())["palette"]["tones"]


def test_several_photos_and_one_that_is_none(page, photo, tmp_path):
    other = tmp_path / "other.png"
    coffee(200).rotate(90, expand=True).convert("L").save(other)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    page.set_input_files("#files", [str(photo), str(broken), str(other)])
    expect(page.locator("#photos img")).to_have_count(2)
    page.get_by_role("button", name=photo.name).click()
    settled(page)
    assert shown(page).shape[:2] == (267, 400)
    page.get_by_role("button", name="other.png").click()
    settled(page)
    assert shown(page).shape[0] == 200


def test_the_photo_that_is_edited_stays_when_others_come(page, photo, tmp_path):
    other = tmp_path / "other.png"
    coffee(200).rotate(90, expand=True).convert("L").save(other)
    open_photo(page, photo)
    first = shown(page)
    page.set_input_files("#files", str(other))
    expect(page.locator("#photos img")).to_have_count(2)
    np.testing.assert_array_equal(shown(page), first)
    page.get_by_role("button", name="other.png").click()
    settled(page)
    assert shown(page).shape[:2] == (200, 133)
    page.locator("#close").click()
    settled(page)
    expect(page.locator("#photos img")).to_have_count(1)
    np.testing.assert_array_equal(shown(page), first)
    page.locator("#close").click()
    expect(page.get_by_text("Drop a black-and-white photograph")).to_be_visible()


def test_a_photo_that_the_server_forgot_is_sent_again(page, photo, address):
    with page.expect_response(lambda r: r.url.endswith("/v1/photos")) as sent:
        page.set_input_files("#files", str(photo))
    expect(page.locator("#variants img")).to_have_count(5)
    settled(page)
    before = shown(page)
    page.request.delete(f"{address}v1/photos/{sent.value.json()['id']}")
    page.get_by_role("button", name="Cool").click()
    page.wait_for_timeout(1000)
    settled(page)
    assert (shown(page) != before).any()


def test_a_broken_photo_is_explained(page, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    page.set_input_files("#files", str(broken))
    expect(page.locator("#message")).to_contain_text("expected an image")
    expect(page.locator("#ring")).to_be_hidden()
    expect(page.get_by_text("Drop a black-and-white photograph")).to_be_visible()


# --- for everybody --------------------------------------------------------------------------------


def violations(page: Page) -> list[str]:
    """What axe-core, which the page was opened with, finds serious or critical."""
    found = page.evaluate(
        """async () => {
            const { violations } = await axe.run();
            return violations.filter(v => ['serious', 'critical'].includes(v.impact))
                .map(v => v.id + ': ' + v.nodes.map(n => n.target).join(' | '));
        }"""
    )
    return list(found)


@pytest.fixture
def axed(page, address):
    """The editor with axe-core in it, which a page's policy lets in only before it loads."""
    page.context.add_init_script(path=AXE)
    page.goto(address)
    return page


def test_axe_finds_nothing_serious(axed, address, photo):
    assert violations(axed) == []
    open_photo(axed, photo)
    assert violations(axed) == []
    axed.goto(f"{address}docs.html")
    expect(axed.locator("#routes section").first).to_be_visible()
    assert violations(axed) == []


def test_nothing_is_wider_than_the_screen(page, photo):
    open_photo(page, photo)
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen


def test_the_api_page_names_every_route(page, address):
    page.goto(f"{address}docs.html")
    for route in ("POST /v1/photos", "POST /v1/photos/{photo_id}/render", "GET /v1/health"):
        expect(page.get_by_role("heading", name=route, exact=True)).to_be_visible()


def test_a_person_can_take_part_in_a_study(serving, browser, tmp_path):
    for method in ("real", "ours"):
        (tmp_path / method).mkdir()
        for i in range(3):
            coffee(80 + i).save(tmp_path / method / f"{i}.png")
    page = browser.new_page()
    page.context.add_init_script(path=AXE)
    page.goto(serving("study", str(tmp_path), "--seconds", "0.2"))
    expect(page.get_by_text("3 pairs")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Begin").click()
    for key in ("ArrowLeft", "ArrowRight", None):
        expect(page.locator("#left img")).to_have_attribute("src", re.compile("pictures"))
        page.wait_for_timeout(400)
        assert "gone" in page.locator("#pair").get_attribute("class")
        page.keyboard.press(key) if key else page.locator("#left").click()
    expect(page.get_by_text("Thank you")).to_be_visible()
    lines = (tmp_path / "answers.csv").read_text().splitlines()
    assert len(lines) == 4
    page.close()
