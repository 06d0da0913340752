"""Versions of a photo: kept, gone back to, seen beside the present one, kept over a reload."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from server.editor.conftest import AXE, open_photo, read_pixels, wait_for
from server.editor.test_accessibility import violations


def shoot(page: Page) -> np.ndarray:
    """(w, 3): what the canvas shows in its middle row, once it rests."""
    page.wait_for_timeout(500)
    row = page.locator("photo-viewer canvas.photo").evaluate(
        """async (canvas) => {
            const copy = new OffscreenCanvas(canvas.width, canvas.height);
            await new Promise(requestAnimationFrame);
            const context = copy.getContext('2d');
            context.drawImage(canvas, 0, 0);
            return [...context.getImageData(0, copy.height >> 1, copy.width, 1).data];
        }"""
    )
    return np.uint8(row).reshape(-1, 4)[:, :3]


@pytest.mark.parametrize("page", ["desk"], indirect=True)
def test_a_version_is_kept_compared_and_restored(page, address, photo):
    page.context.add_init_script(path=AXE)
    page.set_viewport_size({"width": 800, "height": 500})
    page.goto(address)
    open_photo(page, photo)
    expect(page.locator("#compare")).to_be_hidden()
    page.locator("#keep-version").click()
    version = page.get_by_role("button", name="Version 1", exact=True)
    expect(version).to_have_attribute("aria-pressed", "true")
    plain = read_pixels(page)
    old = shoot(page)
    page.get_by_role("button", name="Cool").click()
    cool = read_pixels(page)
    new = shoot(page)
    assert (old != new).any()
    expect(version).to_have_attribute("aria-pressed", "false")

    version.click(modifiers=["Alt"])
    expect(page.locator("#compare")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#gray")).to_have_attribute("aria-pressed", "false")
    both = shoot(page)
    third = len(both) // 3  # the photo's middle is the canvas's
    np.testing.assert_array_equal(both[:third], old[:third])
    np.testing.assert_array_equal(both[-third:], new[-third:])
    np.testing.assert_array_equal(read_pixels(page), cool)  # which are picked stay the present ones
    assert violations(page) == []
    labels = page.locator(".half:visible")
    expect(labels).to_have_text(["Version 1", "Now"])
    middle = page.locator(".divider").bounding_box()["x"] + 21
    left, right = (label.bounding_box() for label in labels.all())
    assert left["x"] + left["width"] < middle < right["x"]
    page.locator("#compare").click()
    expect(labels).to_have_count(0)
    np.testing.assert_array_equal(shoot(page), new)

    version.click()
    np.testing.assert_array_equal(read_pixels(page), plain)
    page.locator("#undo").click()
    np.testing.assert_array_equal(read_pixels(page), cool)

    page.locator("#keep-version").click()
    expect(page.locator("#versions img")).to_have_count(2)
    version.press("Delete")
    expect(version).to_be_hidden()
    page.locator("#message .action").last.click()  # undo
    expect(version).to_be_visible()
    page.get_by_role("button", name="Remove Version 2").click()
    page.wait_for_timeout(700)
    page.reload()
    expect(page.locator("#versions img")).to_have_count(1)
    version.click()
    wait_for(lambda: page.locator("photo-viewer").evaluate("viewer => viewer.isColored"))
    np.testing.assert_array_equal(read_pixels(page), plain)
