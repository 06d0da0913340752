"""The editor's page in a real browser: what its tests do and read."""

import base64
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pages import ROOT
from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from server.conftest import coffee
from tintype.color import rgb_to_oklab

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = os.environ.get("SCREENSHOTS")  # a folder where CI keeps what the pages looked like
SIZES = {"desk": (1280, 800), "phone": (360, 740)}
expect.set_options(timeout=20_000)  # one busy core is slow
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


@pytest.fixture(scope="package")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield browser
        browser.close()


def unexpected(message) -> bool:
    """Chromium reports refused requests as errors, which the page shows in words."""
    return message.type == "error" and not re.search("status of (404|422|429)", message.text)


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
    wait_for_colors(page)
    wait_until_settled(page)


def wait_for_colors(page: Page) -> None:
    """Wait until colors were seen once: the variants may come first."""
    for _ in range(1200):
        if page.evaluate("performance.getEntriesByName('edit').length"):
            return
        page.wait_for_timeout(50)
    raise AssertionError("expected colors, found none")


def wait_until_settled(page: Page) -> None:
    """Wait until nothing new is shown any more, however busy the machine."""
    read_pixels(page)


def read_pixels(page: Page) -> np.ndarray:
    """(h, w, 3) uint8: the photo's pixels, as they are picked, once nothing new is shown."""
    before, now = None, look(page)
    while now != before:
        page.wait_for_timeout(100)
        page.locator("photo-viewer:not([aria-busy=true])").wait_for(state="attached")
        before, now = now, look(page)
    content, shape, _ = now
    return np.frombuffer(content, np.uint8).reshape(*shape, 4)[..., :3]


def look(page: Page) -> tuple[bytes, tuple[int, int], list[str]]:
    """The photo's RGBA as it is now, its height and width, and where its pins are."""
    places = page.locator("button.pin").evaluate_all("all => all.map(p => p.style.translate)")
    address, width, height = page.locator("photo-viewer").evaluate(
        """async (viewer) => {
            const { data, width, height } = viewer.read();
            const reader = new FileReader();
            reader.readAsDataURL(new Blob([data]));
            await new Promise((resolve) => reader.addEventListener('load', resolve));
            return [reader.result, width, height];
        }"""
    )
    return base64.b64decode(address.partition(",")[2]), (height, width), places


def click_photo(page: Page, x: float, y: float) -> None:
    """Click on a place of the photo: shares of its width and height."""
    viewer = page.locator("photo-viewer")
    at = viewer.evaluate("(viewer, place) => viewer.screenOf(place)", {"x": x, "y": y})
    viewer.click(position=at, force=True)


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
    wait_until_settled(page)


def download(page: Page, button: str, folder: Path) -> Path:
    """What a button of the panel, or of the menu beside "Save photo", gives."""
    if not page.locator(button).is_visible():
        page.locator("#save-open").click()
    with page.expect_download() as waiting:
        page.locator(button).click()
    page.locator("#save-menu").evaluate("menu => menu.hidePopover()")
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


def add_color(page: Page, text: str) -> None:
    """Type a color that the photo is to have besides its own."""
    page.locator("#add-color").click()
    page.locator("#hex").fill(text)
    page.locator("#hex").press("Enter")


def set_slider(page: Page, name: str, value: float) -> None:
    """Move one of the sliders behind "More"."""
    page.locator("#more").evaluate("details => { details.open = true }")
    page.locator(f"#{name}").fill(str(value))


def wait_for(happens: Callable[[], bool]) -> None:
    """Ask again and again: Playwright's `wait_for_function` evaluates a string, as no page may."""
    end = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.2)


def color_of(image: Locator) -> float:
    """How much color a small picture of the page has: how far channels differ, 0..255."""
    return float(
        image.evaluate(
            """async (image) => {
            while (!(await image.decode().then(() => true, () => false))); // it was replaced
            const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
            let sum = 0;
            for (let i = 0; i < data.length; i += 4) {
                sum += Math.max(data[i], data[i + 1], data[i + 2])
                    - Math.min(data[i], data[i + 1], data[i + 2]);
            }
            return 4 * sum / data.length;
        }"""
        )
    )
