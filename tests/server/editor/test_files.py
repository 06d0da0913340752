"""What the editor saves, loads and keeps apart: photos, recipes, palettes, commands."""

import json
import re
import shlex
import subprocess

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from server.conftest import coffee
from server.editor.conftest import (
    add_color,
    click_photo,
    download,
    drag,
    open_photo,
    read_pixels,
    set_slider,
    wait_until_settled,
)
from tintype.pins import write_mask

pytestmark = pytest.mark.parametrize("page", ["desk"], indirect=True)


@pytest.mark.parametrize("strip", [False, True])
def test_the_copied_command_makes_the_same_file(page, photo, tmp_path, tintype_command, strip):
    open_photo(page, photo)
    drag(page, page.locator("#wheel .spot").first, 40, 25)
    set_slider(page, "saturation", 1.3)
    page.get_by_role("button", name="Hand-tinted").click()
    add_color(page, "#208040")
    if strip:
        page.locator("#save-open").click()
        page.locator("#strip").check()
        page.locator("#format").select_option("PNG")
        page.keyboard.press("Escape")
    wait_until_settled(page)
    downloaded = download(page, "#save", tmp_path / "downloads")
    saved = [downloaded]
    if not strip:
        page.locator("#save-open").click()
        page.locator("#format").select_option("TIFF, two layers")
        page.keyboard.press("Escape")
        saved.append(download(page, "#save", tmp_path / "downloads"))
        assert saved[1].name == "my coffee.layers.tif"
    recipe = download(page, "#copy", tmp_path)
    expect(page.locator("#message")).to_contain_text("clipboard")
    command = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"my coffee\.[0-9a-f]{8}\.recipe\.json", recipe.name)
    assert downloaded.name == f"my coffee.color.{'png' if strip else 'jpg'}"
    (tmp_path / photo.name).write_bytes(photo.read_bytes())
    words = shlex.split(command)
    assert words[0] == "tintype"
    subprocess.run([tintype_command, *words[1:]], cwd=tmp_path, check=True, capture_output=True)
    for file in saved:
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()
    with Image.open(downloaded) as image:
        assert (0x010F in image.getexif()) is not strip


def test_a_saved_recipe_can_be_loaded_again(page, photo, tmp_path):
    open_photo(page, photo)
    page.get_by_role("button", name="Cool").click()
    cool = read_pixels(page)
    recipe = download(page, "#save-recipe", tmp_path)
    page.locator("#reset").click()
    page.set_input_files("#load-file", str(recipe))
    expect(page.locator("#message")).to_contain_text("Loaded")
    np.testing.assert_array_equal(read_pixels(page), cool)


def test_pins_stay_whatever_is_done(page, photo, tmp_path, tintype_command):
    """By variants, presets, undo and another palette; the command makes the same file."""
    half = write_mask(Image.fromarray(np.uint8([[0, 255]])))
    pins = [
        {"at": [0.3, 0.4], "color": "navy"},
        {"at": ["200px", "100px"], "color": "#c02040", "reach": 0.5},
        {"mask": half, "color": "green"},
    ]
    recipe, reference = tmp_path / "pins.json", tmp_path / "reference.png"
    recipe.write_text(json.dumps({"version": 2, "edits": [{"shift_hue": 20}, *pins]}))
    coffee(200).save(reference)

    def kept():
        wait_until_settled(page)
        saved = json.loads(download(page, "#save-recipe", tmp_path).read_text())
        return [edit for edit in saved["edits"] if edit in pins]

    open_photo(page, photo)
    with page.expect_response(lambda r: r.url.endswith("/render")):  # new pins take a while
        page.set_input_files("#load-file", str(recipe))
    assert kept() == pins
    pinned = read_pixels(page)
    page.locator("#variants button").nth(2).click()
    assert kept() == pins
    page.get_by_role("button", name="Cool").click()
    for _ in range(2):
        page.locator("#undo").click()
    assert kept() == pins
    np.testing.assert_array_equal(read_pixels(page), pinned)
    page.set_input_files("#load-file", str(reference))
    expect(page.locator("#message")).to_contain_text("Loaded reference.png")
    assert kept() == pins
    downloaded = download(page, "#save", tmp_path / "downloads")
    download(page, "#copy", tmp_path)
    command = shlex.split(page.locator("#command").input_value())
    (tmp_path / photo.name).write_bytes(photo.read_bytes())
    subprocess.run([tintype_command, *command[1:]], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / downloaded.name).read_bytes() == downloaded.read_bytes()


def test_a_saved_palette_is_what_is_asked_for(page, photo, tmp_path):
    open_photo(page, photo)
    page.get_by_role("button", name="Warm").click()
    wait_until_settled(page)
    about = json.loads(download(page, "#save-palette", tmp_path).read_text())
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
    cool = read_pixels(page)
    recipe = download(page, "#save-recipe", tmp_path)
    assert json.loads(recipe.read_text())["palette"]["tones"]["shadows"]["colors"]
    assert json.loads(download(page, "#save-palette", tmp_path).read_text())["tones"]
    page.locator("#reset").click()
    page.set_input_files("#load-file", str(recipe))
    expect(page.locator("#message")).to_contain_text("Loaded")
    np.testing.assert_array_equal(read_pixels(page), cool)
    assert json.loads(download(page, "#save-recipe", tmp_path).read_text())["palette"]["tones"]


def test_several_photos_and_one_that_is_none(page, photo, tmp_path):
    other = tmp_path / "other.png"
    coffee(200).rotate(90, expand=True).convert("L").save(other)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    page.set_input_files("#files", [str(photo), str(broken), str(other)])
    expect(page.locator("#photos img")).to_have_count(2)
    page.get_by_role("option", name=photo.name).click()
    assert read_pixels(page).shape[:2] == (267, 400)
    page.get_by_role("option", name="other.png").click()
    assert read_pixels(page).shape[0] == 200


def test_the_photo_that_is_edited_stays_when_others_come(page, photo, tmp_path):
    other = tmp_path / "other.png"
    coffee(200).rotate(90, expand=True).convert("L").save(other)
    open_photo(page, photo)
    first = read_pixels(page)
    page.set_input_files("#files", str(other))
    expect(page.locator("#photos img[src]")).to_have_count(2)
    np.testing.assert_array_equal(read_pixels(page), first)
    drawn = page.evaluate(
        """() => {
            document.querySelector("#photos [title='other.png']").click();
            return [...document.querySelectorAll("ul.colors canvas")].map((canvas) => {
                const { width, height } = canvas;
                return canvas.getContext("2d").getImageData(0, 0, width, height).data.some(Boolean);
            });
        }"""
    )
    assert True not in drawn  # before its colors have come: those were the first photo's places
    assert read_pixels(page).shape[:2] == (200, 133)
    page.locator("#close").click()
    wait_until_settled(page)
    expect(page.locator("#photos img")).to_have_count(1)
    np.testing.assert_array_equal(read_pixels(page), first)
    page.locator("#close").click()
    expect(page.locator("#welcome")).to_be_visible()


def test_a_server_that_is_busy_or_forgot_is_asked_again(page, photo, address, tmp_path):
    refused = {}

    def refuse(route):
        path = route.request.url.rpartition("/")[2]
        refused[path] = refused.get(path, 0) + 1
        if refused[path] > 2:
            return route.fallback()
        return route.fulfill(status=429, json={"detail": "expected less work at once; try later"})

    page.route("**/v1/photos**", refuse)
    page.route("**/v1/photos/**", refuse)
    with page.expect_response(lambda r: r.status == 201) as sent:
        page.set_input_files("#files", str(photo))
    expect(page.locator("#variants img")).to_have_count(5)
    before = read_pixels(page)
    click_photo(page, 0.5, 0.3)
    expect(page.locator(".popover .swatch[data-color]")).to_have_count(5)
    page.keyboard.press("Escape")
    refused["render"] = 0
    download(page, "#save", tmp_path)
    assert {*refused} == {"photos", "render", "suggestions", "region"}
    assert min(refused.values()) == 3
    expect(page.locator("#message .error")).to_have_count(0)
    page.request.delete(f"{address}v1/photos/{sent.value.json()['id']}")
    page.get_by_role("button", name="Cool").click()
    page.wait_for_timeout(1000)
    assert (read_pixels(page) != before).any()


def test_a_transparent_tiff_is_shown_as_it_is(page, tmp_path):
    photo = coffee().convert("LA")
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save(tmp_path / "clear.tif")
    held = []
    page.route("**/luma", lambda route: held.append(route))  # no browser reads TIFF
    page.set_input_files("#files", tmp_path / "clear.tif")
    expect(page.locator("#variants img")).to_have_count(5)
    expect(page.locator("#ring")).to_be_visible()  # until the photo is seen
    held[0].continue_()
    expect(page.locator("#ring")).to_be_hidden()
    wait_until_settled(page)
    clear = np.asarray(photo.getchannel("A")).astype(int)
    shown = page.locator("photo-viewer canvas.photo").evaluate(
        """(canvas) => {
          const flat = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
          flat.drawImage(canvas, 0, 0);
          const { data, width, height } = flat.getImageData(0, 0, canvas.width, canvas.height);
          const column = [];
          for (let y = 0; y < height; y++) column.push(data[4 * (y * width + (width >> 1)) + 3]);
          return column;
        }"""
    )
    opaque = [value for value in shown if value > 0]
    assert opaque == sorted(opaque)
    assert (min(opaque) < 20, max(opaque) > 235) == (True, True)
    assert abs(np.mean(opaque) - clear.mean()) < 5


def test_a_broken_photo_is_explained(page, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    page.set_input_files("#files", str(broken))
    expect(page.locator("#message")).to_contain_text("expected an image")
    expect(page.locator("#ring")).to_be_hidden()
    expect(page.locator("#welcome")).to_be_visible()
