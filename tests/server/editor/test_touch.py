"""Fingers on a phone: what is dragged moves, not the page; what is interrupted goes back."""

import pytest
from playwright.sync_api import expect

from server.editor.conftest import click_photo, open_photo, wait_until_settled

phone = pytest.mark.parametrize("page", ["phone"], indirect=True)


class Finger:
    """One finger on the page."""

    def __init__(self, page):
        self.page = page
        self.cdp = page.context.new_cdp_session(page)

    def _touch(self, kind, *points):
        points = [{"x": x, "y": y} for x, y in points]
        self.cdp.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def drag(self, start, by, end="End") -> int:
        """How far the page scrolls while a finger is dragged, pixels."""
        wait_until_settled(self.page)  # as words that come or go above move the page, too
        before = self.page.evaluate("scrollY")
        self._touch("Start", start)
        for part in (0.2, 0.4, 0.6, 0.8, 1):
            self._touch("Move", (start[0] + part * by[0], start[1] + part * by[1]))
            self.page.wait_for_timeout(20)
        self._touch(end)
        self.page.wait_for_timeout(150)
        return self.page.evaluate("scrollY") - before


def center(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@phone
def test_a_finger_moves_what_is_dragged_and_what_is_interrupted_goes_back(page, photo):
    expect(page.get_by_text("Choose a black-and-white photograph")).to_be_visible()
    expect(page.get_by_text("Drop a black-and-white photograph")).to_be_hidden()
    open_photo(page, photo)
    finger, undo = Finger(page), page.locator("#undo")

    def recipe() -> str:
        return page.locator("#command").input_value()  # it tells the recipe's content

    page.locator("#wheel").evaluate("wheel => scrollTo(0, wheel.offsetTop - 40)")
    plain, spot = recipe(), page.locator("#wheel .spot").first
    expect(undo).to_be_disabled()
    assert finger.drag(center(spot), (0, 50), "Cancel") == 0
    assert recipe() == plain
    for by in ((0, -60), (0, 50)):
        before = recipe()
        assert finger.drag(center(spot), by) == 0
        assert recipe() != before
    for _ in range(2):
        undo.click()
    expect(undo).to_be_disabled()
    assert recipe() == plain
    box = page.locator("#wheel").bounding_box()
    assert finger.drag((box["x"] + 3, box["y"] + box["height"] - 8), (0, -60)) > 20
    assert recipe() == plain

    slider = page.locator("#strength")
    slider.scroll_into_view_if_needed()
    page.evaluate("scrollBy(0, 60)")
    assert finger.drag(center(slider), (0, -60)) == 0
    assert finger.drag(center(slider), (30, -20)) == 0
    stronger = recipe()
    assert stronger != plain
    box = slider.bounding_box()
    finger.drag((box["x"] + 20, center(slider)[1]), (30, 0), "Cancel")
    assert recipe() == stronger

    click_photo(page, 0.5, 0.3)
    popover = page.locator(".popover")
    popover.locator("[data-color=gray]").tap()
    expect(popover.locator(".what")).to_have_text("Gray; pins beside it may color parts of it")
    assert popover.evaluate("sheet => sheet.scrollHeight <= sheet.clientHeight")
    page.set_viewport_size({"width": 740, "height": 360})
    box = popover.locator(".delete").bounding_box()
    assert box["y"] + box["height"] <= 360
    page.set_viewport_size({"width": 360, "height": 740})
    popover.locator(".close").tap()
    wait_until_settled(page)
    pinned, pin = recipe(), page.locator("button.pin")
    place = center(pin)
    finger.drag(place, (40, 40), "Cancel")
    expect(popover).to_be_hidden()
    assert recipe() == pinned
    assert center(pin) == pytest.approx(place, abs=1)
    pin.tap()
    popover.locator(".brush").tap()
    tools = page.locator(".brush-tools")
    expect(tools).to_be_visible()
    finger.drag(place, (40, 40), "Cancel")
    tools.locator(".done").tap()
    popover.locator(".close").tap()
    assert recipe() == pinned
    page.locator("#gray").tap()
    divider = page.locator(".divider")
    finger.drag(center(divider), (60, 0), "Cancel")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    with page.expect_file_chooser():
        page.locator("#take-colors").tap()
