"""Many photos: what to begin with, several chosen, a look for all, all saved at once."""

import json
import re
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from server.conftest import coffee
from server.editor.conftest import (
    AXE,
    add_color,
    color_of,
    download,
    open_photo,
    wait_for,
    wait_until_settled,
)
from server.editor.test_accessibility import violations
from tintype.server.app import STATIC

ON_DESK = pytest.mark.parametrize("page", ["desk"], indirect=True)


@pytest.fixture
def photos(tmp_path):
    """Three photos, two of one name."""
    files = [tmp_path / name for name in ("a/cup.jpg", "b/Cup.jpg", "b/other.png")]
    for i, file in enumerate(files):
        file.parent.mkdir(exist_ok=True)
        coffee(96 + 16 * i).convert("L").save(file)
    return files


def read_film(page: Page, name: str) -> list[str]:
    """An attribute of each photo in the film strip."""
    tiles = page.locator("#photos button")
    return list(tiles.evaluate_all(f"all => all.map(one => one.getAttribute('{name}'))"))


def read_marks(page: Page) -> list[str]:
    """What is written on each photo in the film strip."""
    tiles = page.locator("#photos button")
    read = "all => all.map(one => getComputedStyle(one, '::before').content)"
    return list(tiles.evaluate_all(read))


def chosen(page: Page) -> list[int]:
    return [i for i, value in enumerate(read_film(page, "aria-selected")) if value == "true"]


def test_a_sample_is_opened_as_if_it_was_dropped(page):
    samples = [*(STATIC / "samples").glob("*.jpg")]
    tiles = page.locator("#samples img")
    assert tiles.count() == len(samples) == 3
    assert sum(sample.stat().st_size for sample in samples) < 150_000
    assert tiles.evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 400)")
    expect(page.locator("#panel")).to_be_hidden()
    with page.expect_response("**/v1/photos") as answer:
        page.get_by_role("button", name="A cat").click()
    with Image.open(STATIC / "samples" / "chelsea.jpg") as cat:
        said = answer.value.json()
        assert (said["width"], said["height"], said["format"]) == (*cat.size, "JPEG")
    wait_until_settled(page)
    expect(page.locator("#samples")).to_be_hidden()
    expect(page.locator("#photos button")).to_have_attribute("title", "chelsea.jpg")


@ON_DESK
def test_photos_are_chosen_by_mouse_and_keys(page, address, photos):
    page.context.add_init_script(path=AXE)
    page.goto(address)
    page.set_input_files("#files", photos)
    tiles = page.locator("#photos button")
    expect(tiles).to_have_count(3)
    assert chosen(page) == [0]
    expect(page.locator("#chosen")).to_be_hidden()
    tiles.nth(2).click(modifiers=["Control"])
    assert chosen(page) == [0, 2]
    assert read_film(page, "aria-current") == ["true", "false", "false"]
    expect(page.locator("#chosen")).to_contain_text("2 of 3")
    tiles.nth(1).click()
    assert chosen(page) == [1]
    assert read_marks(page)[1] == '""'  # alone
    tiles.nth(0).click(modifiers=["Shift"])
    assert chosen(page) == [0, 1]
    assert read_marks(page) == ["none", '"Open"', "none"]  # whose look goes to the others
    expect(page.locator("#apply-look")).to_have_text("Give open photo's look to 1 more")
    assert violations(page) == []
    tiles.nth(1).focus()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")  # moves along and looks at the next
    assert chosen(page) == [2]
    assert read_film(page, "tabindex") == ["-1", "-1", "0"]
    page.keyboard.press("Shift+Home")
    assert chosen(page) == [0, 1, 2]
    assert read_film(page, "aria-current") == ["false", "false", "true"]
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Space")
    assert chosen(page) == [0, 2]
    page.locator("#end-choosing").click()
    page.locator("#several").click()  # for those who have no keys
    tiles.nth(0).click()
    assert chosen(page) == [0, 2]


@ON_DESK
def test_twenty_photos_fit_every_screen(page, tmp_path):
    files = [tmp_path / f"{i}.png" for i in range(20)]
    for file in files:
        coffee(40).convert("L").save(file)
    page.set_input_files("#files", files)
    tiles = page.locator("#photos button")
    expect(tiles).to_have_count(20)
    tiles.first.focus()
    page.keyboard.press("Shift+End")
    expect(page.locator("#chosen")).to_contain_text("20 of 20")
    page.evaluate(  # before the photo is on the stage
        """() => {
            document.querySelector("#photos button:not([aria-current=true])").click();
            for (const key of "0+1++-") dispatchEvent(new KeyboardEvent("keydown", {key}));
            const detail = {place: {x: 0.5, y: 0.5}, shift: false};
            viewer.dispatchEvent(new CustomEvent("pick", {detail}));
        }"""
    )
    expect(page.get_by_text(re.compile(r"^Coloring \d+.png")).first).to_be_visible()
    wait_for(lambda: page.evaluate("viewer.zoom < 1"))
    zoom = page.evaluate("viewer.zoom")
    page.keyboard.press("1")
    assert page.evaluate("viewer.zoom") == pytest.approx(zoom / 1.25)
    page.keyboard.press("0")
    assert page.evaluate("viewer.zoom") == 1
    for size in ((1366, 800), (360, 740), (740, 360)):
        page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        if min(size) == 360:  # the buttons leave the photo free
            photo = page.locator("#viewer").bounding_box()
            assert photo["y"] + photo["height"] <= page.locator(".tools").bounding_box()["y"]
        for key in ("Home", "End"):
            page.locator("#photos [tabindex='0']").focus()
            page.keyboard.press(key)
            tile = page.locator("#photos [aria-current=true]").bounding_box()
            film = page.locator("#photos").bounding_box()
            assert film["x"] <= tile["x"] < tile["x"] + tile["width"] <= film["x"] + film["width"]


@ON_DESK
def test_a_look_goes_to_all_that_are_chosen(page, photos, tmp_path):
    open_photo(page, *photos)
    tiles = page.locator("#photos button")
    expect(page.locator("#photos img[src]")).to_have_count(3)
    sources = read_sources(page)
    page.get_by_role("button", name="Vivid").click()
    page.locator("#several").click()
    page.locator("#copy-look").click()
    page.locator("#end-choosing").click()
    tiles.nth(1).click(modifiers=["Control"])
    page.locator("#paste-look").click()
    expect(tiles.nth(1)).to_have_attribute("aria-label", "Cup.jpg, edited")
    assert "edited" not in tiles.nth(2).get_attribute("aria-label")
    page.locator("#choose-all").click()
    page.locator("#apply-look").click()
    expect(tiles.nth(2)).to_have_attribute("aria-label", "other.png, edited")
    expect(page.locator("#message")).to_contain_text("2 more photos")
    expect(tiles.nth(2).locator("img")).not_to_have_attribute("src", sources[2])
    wait_until_settled(page)
    colors = [color_of(page.locator("#photos img").nth(i)) for i in range(3)]
    assert np.ptp(colors) < 0.1 * np.mean(colors)  # the same cup, and as vivid
    page.locator("#message .action").last.click()  # undo
    expect(tiles.nth(2)).to_have_attribute("aria-label", "other.png")

    asked = []
    page.on("request", lambda r: r.url.endswith("/render") and asked.append(r.post_data_json))
    with page.expect_response("**/v1/albums") as album:
        page.locator("#cohesion").fill("1")
    expect(page.locator("#message")).to_contain_text("3 photos match")
    expect(tiles.nth(2)).to_have_attribute("aria-label", "other.png, edited")
    wait_until_settled(page)
    begun = album.value.json()
    carried = [recipe for recipe in asked if recipe["palette"]]
    assert {recipe["size"] for recipe in carried} == {"planes", "thumbnail"}
    for recipe in carried:
        assert recipe["palette"] == begun["variants"][0]["palette"]  # 1: the same for all
        vivid = {"saturation": 1.3} in recipe["edits"]
        assert recipe["vividness"] == (1 if vivid else begun["vividness"])
    page.locator("#cohesion").fill("0")
    expect(page.locator("#message")).to_contain_text("as they were before")
    expect(tiles.nth(2)).to_have_attribute("aria-label", "other.png")
    page.locator("#message .action").last.click()  # undo
    expect(tiles.nth(2)).to_have_attribute("aria-label", "other.png, edited")
    expect(page.locator("#cohesion")).to_have_value("1")

    page.locator("#strength").fill("1")  # that of photos that had no look
    usual = {**carried[-1], "size": "planes", "edits": [], "vividness": begun["vividness"]}
    wait_for(lambda: page.wait_for_timeout(1) or {**usual, "measure": True} in asked)
    match_a_look(page, tmp_path)
    file = download(page, "#save-all", tmp_path)
    opened = download(page, "#save", tmp_path)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["cup.color.jpg", "Cup-2.color.jpg", "other.color.png"]
        assert archive.read("cup.color.jpg") == opened.read_bytes()
        pictures = [read_image(BytesIO(archive.read(name))) for name in archive.namelist()]
    assert [p.size for p in pictures] == [read_image(photo).size for photo in photos]
    expect(page.locator("#message")).to_contain_text("Saved 3 photos")

    page.route("**/render", lambda _: None)  # takes for ever
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/render")):
        page.locator("#save-all").click()
        page.locator("#cancel-saving").click()
    page.unroute("**/render")
    expect(page.locator("#cancel-saving")).to_be_hidden()
    page.locator("#close-all").click()
    expect(page.locator("#samples")).to_be_visible()
    page.locator("#message .action").last.click()  # undo
    expect(tiles).to_have_count(3)


def match_a_look(page: Page, folder: Path) -> None:
    """Give the chosen photos a reference's palette, match them, and take that back."""
    reference = {"version": 1, "colors": [{"color": "#fc4734", "share": 0.75}], "neutral": 0.25}
    (folder / "red.json").write_text(json.dumps(reference))
    asked = []
    page.on("request", lambda r: r.url.endswith("/render") and asked.append(r))

    def colored() -> list[dict]:
        """By what the photos were colored last: the open one, and then the others."""
        page.wait_for_timeout(1)  # so that requests are heard of
        opened = [r for r in asked if r.post_data_json["size"] == "planes"][-1:]
        others = {r.url: r for r in asked if r.url not in [one.url for one in opened]}
        recipes = [r.post_data_json for r in (*opened, *(others[url] for url in sorted(others)))]
        return [{name: r[name] for name in ("palette", "edits", "vividness")} for r in recipes]

    page.set_input_files("#load-file", folder / "red.json")
    expect(page.locator("#message")).to_contain_text("red.json")
    page.locator("#apply-look").click()
    wait_for(lambda: len(colored()) == 3)
    look = colored()[0]["palette"]
    assert look["colors"][0] == {"color": "#fc4734", "share": pytest.approx(0.75, abs=0.01)}
    given = 3 * [{"palette": look, "edits": [], "vividness": None}]
    wait_for(lambda: colored() == given)
    for part in ("0.5", "1"):
        with page.expect_response("**/v1/albums") as album:
            page.locator("#cohesion").fill(part)
        sent = album.value.request.post_data_json
        assert sent["palettes"] == [look]  # once, and not what the slider gave
        assert sent["starts"] == 3 * [{"palette": 0}]
        matched = [one["palette"] for one in album.value.json()["variants"]]
        assert matched[0]["colors"][0]["color"] == "#fc4734"
        wait_for(lambda: [one["palette"] for one in colored()] == matched)  # noqa: B023
        assert {one["vividness"] for one in colored()} == {None}
        expect(page.locator("#strength")).to_have_value("1")
    page.locator("#cohesion").fill("0")
    wait_for(lambda: colored() == given)
    page.locator("#message .action").last.click()  # undo
    wait_for(lambda: [one["palette"] for one in colored()] == matched)
    page.locator("#strength").fill("0.5")  # an edit stays, and the look comes back
    page.locator("#cohesion").fill("0")
    edited = {**given[0], "edits": [{"saturation": 0.5}]}
    wait_for(lambda: colored() == [edited, *given[1:]])


@ON_DESK
def test_a_hand_that_is_cut_short_leaves_nothing_behind(page, photos, tmp_path):
    """Where undo takes the color that it holds, or another photo is looked at."""
    recipe = tmp_path / "pin.json"
    recipe.write_text('{"edits": [{"at": [0.5, 0.5], "color": "#2060d0"}]}')
    open_photo(page, *photos[:2])
    undo, spots = page.locator("#undo"), page.locator("#wheel .spot")

    def hold(thing):
        thing.scroll_into_view_if_needed()
        box = thing.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 9, y + 9, steps=3)
        return lambda: page.mouse.move(x + 20, y, steps=3) or page.mouse.up()

    def look_at(number):
        page.locator("#photos button").nth(number).evaluate("one => one.click()")
        wait_until_settled(page)

    def places():
        return page.locator("#wheel .spot, button.pin").evaluate_all(
            "all => all.map(one => one.getAttribute('transform') ?? one.style.translate)"
        )

    count = spots.count()
    add_color(page, "#00b000")
    let_go = hold(spots.last.locator(".body"))
    page.keyboard.press("Control+z")
    let_go()
    expect(spots).to_have_count(count)
    expect(undo).to_be_disabled()

    for number in (0, 1):
        look_at(number)
        page.set_input_files("#load-file", recipe)
        expect(page.locator("button.pin")).to_have_count(1)
    for thing in (spots.first.locator(".body"), page.locator("button.pin")):
        wait_until_settled(page)
        other = places()
        look_at(0)
        own = places()
        let_go = hold(thing)
        look_at(1)
        let_go()
        assert places() == other
        look_at(0)
        assert places() == own
        look_at(1)


def test_large_archives_are_zip64(browser, address):
    """As `zipfile` reads them; the limits are lowered, as nobody waits for 4 GiB."""
    limits = [{}, {"most": 156}, {"files": 3}, {"most": 155}, {"files": 2}, {"most": 60}]
    page = browser.new_page()
    page.goto(address)
    archives = page.evaluate(
        """async (limits) => {
            const { Zip } = await import('/photos/zip.js');
            return Promise.all(limits.map(async (limit) => {
                const zip = new Zip(limit);
                await zip.add('Küche.txt', new Blob(['a'.repeat(20)]));
                await zip.add('b.txt', new Blob(['b'.repeat(60)]));
                return [...new Uint8Array(await zip.finish().arrayBuffer())];
            }));
        }""",
        limits,
    )
    page.close()
    contents = [bytes(archive) for archive in archives]
    assert [b"PK\x06\x06" in content for content in contents] == 3 * [False] + 3 * [True]
    for content in contents:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == ["Küche.txt", "b.txt"]
            assert archive.read("b.txt") == b"b" * 60


def read_image(file) -> Image.Image:
    with Image.open(file) as image:
        return image.copy()


def read_sources(page: Page) -> list[str]:
    images = page.locator("#photos img")
    return list(images.evaluate_all("all => all.map(one => one.src)"))
