"""The pop-over beside the panel: what it would hit, what closes it, what it says; the brush."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from server.conftest import coffee
from server.editor.conftest import click_photo, open_photo, wait_for, wait_until_settled

desk = pytest.mark.parametrize("page", ["desk"], indirect=True)


def lit(page) -> float:
    """The share of the photo that no veil darkens."""
    return page.locator("photo-viewer .light").evaluate(
        """light => {
            if (light.width < 2) return 1;
            const { data } = light.getContext('2d').getImageData(0, 0, light.width, light.height);
            const [at, to] = [{ x: 0, y: 0 }, { x: 1, y: 1 }].map((one) =>
                document.querySelector('photo-viewer').screenOf(one));
            const area = (to.x - at.x) * (to.y - at.y) * devicePixelRatio ** 2;
            let dark = 0;
            for (let i = 3; i < data.length; i += 4) dark += data[i] > 80;
            return 1 - dark / area;
        }"""
    )


@desk
def test_everywhere_shows_all_that_it_hits_and_escape_closes_it_from_the_panel(page, photo):
    open_photo(page, photo)
    popover = page.locator(".popover")
    click_photo(page, 0.85, 0.75)  # the table
    expect(popover.locator(".progress")).to_be_hidden()
    wait_for(lambda: lit(page) < 0.95)
    thing = lit(page)
    popover.locator("[value=everywhere]").check()
    wait_for(lambda: abs(lit(page) - thing) > 0.01)
    spot = page.locator("#wheel .spot.selected").get_attribute("data-index")
    hit = page.locator(".colors .color").nth(int(spot)).locator(".share").inner_text()
    np.testing.assert_allclose(lit(page), int(hit.split()[0]) / 100, atol=0.04)
    popover.locator("[value=here]").check()
    wait_for(lambda: abs(lit(page) - thing) < 0.01)

    plain = page.locator("#command").input_value()
    popover.locator("[data-color=auto]").click()
    popover.locator("[value=everywhere]").check()  # the photo's own color is that, everywhere
    assert page.locator("#command").input_value() == plain

    for inside in ("#strength", "#presets button", "#wheel .spot"):
        page.locator(inside).first.focus()
        page.keyboard.press("Escape")
        expect(popover).to_be_hidden()
        click_photo(page, 0.85, 0.75)
    page.locator("#save-open").click()
    page.keyboard.press("Escape")  # what lies above closes first
    expect(page.locator("#save-menu")).to_be_hidden()
    expect(popover).to_be_visible()
    page.keyboard.press("Escape")
    expect(popover).to_be_hidden()

    viewer, command = page.locator("photo-viewer"), page.locator("#command")
    page.locator("#presets button").nth(3).click()
    wait_until_settled(page)
    vivid = command.input_value()
    page.keyboard.down(" ")
    assert viewer.evaluate("viewer => viewer.gray")
    page.keyboard.up(" ")
    assert not viewer.evaluate("viewer => viewer.gray")
    page.locator("#undo").click()
    page.keyboard.press(" ")
    assert command.input_value() != vivid
    page.locator("#redo").click()
    page.locator("#presets button").nth(3).click()
    page.keyboard.press("Tab")  # to the next, by keys
    page.keyboard.press(" ")
    expect(command).not_to_have_value(vivid)


@desk
def test_where_no_color_shows_it_is_said(page, tmp_path):
    luma = np.array(coffee(200).convert("L"))
    luma[: len(luma) // 2] = 4
    file = tmp_path / "dark.png"
    Image.fromarray(luma).save(file)
    open_photo(page, file)
    click_photo(page, 0.5, 0.2)
    popover = page.locator(".popover")
    popover.locator("#pin-color").fill("#2060d0")
    popover.locator("#pin-color").press("Enter")
    expect(popover.locator(".status")).to_contain_text("too dark")


@desk
def test_a_brush_paints_and_erases_round_lines(page):
    made = page.evaluate(
        """async () => {
            const { paintLine, writeMask } = await import('/pins/mask.js');
            const mask = { width: 40, height: 30, data: new Uint8Array(1200) };
            paintLine(mask, { x: 0.25, y: 0.5 }, { x: 0.75, y: 0.5 }, 4, true);
            paintLine(mask, { x: 0.5, y: 0.5 }, { x: 0.5, y: 0.5 }, 2, false);
            return [await writeMask(mask), [...mask.data]];
        }"""
    )
    picture = Image.open(io.BytesIO(base64.b64decode(made[0])))
    assert picture.mode == "L"
    mask = np.asarray(picture)
    assert mask.ravel().tolist() == made[1]
    y, x = np.mgrid[:30, :40] + 0.5
    away = np.hypot(np.maximum(np.abs(x - 20) - 10, 0), y - 15)
    assert (mask[(away < 3) & (np.hypot(x - 20, y - 15) > 3.5)] == 255).all()
    assert (mask[away > 5] == 0).all()
    assert (mask[np.hypot(x - 20, y - 15) < 1] == 0).all()
