"""What is saved as layers, from a German menu; keys alone; more photos than can match."""

import io
import zipfile

import numpy as np
import psdtags
import pytest
from formats.test_layered import blend_color
from PIL import Image
from playwright.sync_api import Page, expect

from server.conftest import coffee
from server.editor.conftest import download, open_photo, read_pixels, wait_until_settled

ON_DESK = pytest.mark.parametrize("page", ["desk"], indirect=True)


@pytest.fixture
def german(browser, address):
    with browser.new_context(locale="de-DE") as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(address)
        yield page


def choose_format(page: Page, label: str) -> None:
    page.locator("#save-open").click()
    page.locator("#format").select_option(label=label)
    page.keyboard.press("Escape")


def read(file) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image).astype(float)


def test_layers_of_a_german_menu_add_up_one_by_one_and_all_at_once(german, tmp_path):
    page = german
    photos = [tmp_path / name for name in ("tasse.png", "zweite.png")]
    for photo, side in zip(photos, (240, 96), strict=True):
        coffee(side).convert("L").save(photo)
    open_photo(page, *photos)
    page.get_by_role("button", name="Lebhaft").click()
    wait_until_settled(page)
    page.locator("#save-open").click()
    words = page.locator("#save-menu").inner_text()
    for text in ("Ohne Kamera", "Palette speichern", "Rezept speichern", "Als Befehl kopieren"):
        assert text in words
    assert page.locator("#format option").all_inner_texts() == [
        "Eigenes Format", "JPEG", "PNG", "TIFF", "WEBP", "AVIF",
        "PNG, nur Farben", "TIFF, zwei Ebenen",
    ]  # fmt: skip
    page.keyboard.press("Escape")
    colored = read(download(page, "#save", tmp_path / "one"))
    expect(page.locator("#message")).to_contain_text("tasse.color.png ist gespeichert.")
    gray = np.repeat(read(photos[0])[..., None], 3, 2)

    choose_format(page, "PNG, nur Farben")
    file = download(page, "#save", tmp_path / "one")
    assert file.name == "tasse.layers.png"
    layer = read(file)
    assert not np.ptp(colored[layer[..., 3] == 0], -1).any()
    share = layer[..., 3:] / 255
    laid = (1 - share) * gray + share * blend_color(gray, layer[..., :3])
    assert (np.abs(laid - colored).max(-1) <= 1.5).mean() > 0.99
    assert np.abs(gray - colored).mean() > 3

    choose_format(page, "TIFF, zwei Ebenen")
    tiff = download(page, "#save", tmp_path / "one")
    assert tiff.name == "tasse.layers.tif"
    np.testing.assert_array_equal(read(tiff)[..., :3], colored)
    below, above = (
        np.stack([channel.data for channel in one.channels if channel.channelid >= 0], -1)
        for one in psdtags.TiffImageSourceData.fromtiff(tiff).layers.layers
    )
    np.testing.assert_array_equal(below, gray)
    laid = blend_color(below.astype(float), above.astype(float))
    assert (np.abs(laid - colored).max(-1) <= 1.5).mean() > 0.99

    page.locator("#several").click()
    page.locator("#choose-all").click()
    archive = zipfile.ZipFile(download(page, "#save-all", tmp_path))
    assert archive.namelist() == ["tasse.layers.tif", "zweite.layers.tif"]
    assert archive.read("tasse.layers.tif") == tiff.read_bytes()
    other = archive.read("zweite.layers.tif")
    assert read(io.BytesIO(other)).shape[:2] == read(photos[1]).shape
    expect(page.locator("#message")).to_contain_text("In tintype.zip gespeicherte Fotos: 2.")


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until what is wanted has the focus."""
    for _ in range(80):
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"expected to reach {wanted} by Tab, did not")


@ON_DESK
def test_keys_alone_open_color_and_save(page, photo, tmp_path):
    with page.expect_file_chooser() as chooser:
        tab_to(page, "#choose")
        page.keyboard.press("Enter")
    chooser.value.set_files(photo)
    expect(page.locator("#variants img")).to_have_count(5)
    before = read_pixels(page)
    tab_to(page, "canvas.photo")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".popover .swatch[data-color]")).to_have_count(5)
    tab_to(page, "#pin-color")
    page.keyboard.type("#2060d0")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert (read_pixels(page) != before).any()
    tab_to(page, "#save-open")
    page.keyboard.press("Enter")
    tab_to(page, "#format")
    page.keyboard.type("PNG")
    page.keyboard.press("Escape")
    expect(page.locator("#save-open")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename == "my coffee.color.png"
    waiting.value.save_as(tmp_path / "saved.png")
    saved = read(tmp_path / "saved.png")
    assert np.abs(read_pixels(page) - saved).mean() < 0.3 * np.abs(before - saved).mean()


@ON_DESK
def test_more_than_64_photos_are_not_matched_and_64_are(page):
    """All are one photo to the server, so that none but the first is looked at by the network."""
    known = {}

    def answer(route):
        key = route.request.url.rpartition("/")[2]
        if key not in known:
            known[key] = route.fetch()
        route.fulfill(response=known[key])

    page.route("**/v1/photos", answer)
    page.route("**/render", answer)
    page.route("**/v1/albums", lambda route: route.fulfill(status=422, json={"detail": "asked"}))
    asked = []
    page.on("request", lambda r: r.url.endswith("/albums") and asked.append(r.post_data_json))
    file = io.BytesIO()
    coffee(24).convert("L").save(file, "PNG")
    names = [f"{i}.png" for i in range(65)]
    page.set_input_files(
        "#files",
        [{"name": name, "mimeType": "image/png", "buffer": file.getvalue()} for name in names],
    )
    tiles = page.locator("#photos button")
    expect(tiles.locator("img[src]")).to_have_count(65)
    tiles.first.focus()
    page.keyboard.press("Control+a")
    expect(page.locator("#chosen-count")).to_have_text("65 of 65 chosen")
    page.locator("#cohesion").fill("0.5")
    expect(page.locator("#message .error")).to_contain_text("at most 64 photos")
    expect(page.locator("#cohesion")).to_have_value("0")
    tiles.last.click(modifiers=["Control"])
    expect(page.locator("#chosen-count")).to_have_text("64 of 65 chosen")
    page.locator("#cohesion").fill("0.5")
    expect(page.locator("#message .error")).to_have_text("asked✕")
    assert [len(one["photos"]) for one in asked] == [64]
