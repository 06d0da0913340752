"""The editor is for everybody: by axe, on small screens, and for those who take part in a study."""

import re

import pytest
from playwright.sync_api import Page, expect

from server.conftest import coffee
from server.editor.conftest import AXE, add_color, open_photo


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
    add_color(axed, "navy")
    axed.locator("#more").evaluate("details => { details.open = true }")
    axed.locator("#save-open").click()
    assert violations(axed) == []
    axed.keyboard.press("Escape")
    axed.locator("#help-open").click()
    assert violations(axed) == []
    axed.goto(f"{address}docs.html")
    expect(axed.locator("#routes section").first).to_be_visible()
    assert violations(axed) == []


NAMED = """() => {
    const one = document.activeElement;
    const label = one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent;
    return one === document.body ? 'page' : (label ?? one.textContent).trim();
}"""
SMALL = """() => [...document.querySelectorAll('button, input, select, summary, .hit')]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .filter((one) => one.type !== 'checkbox' && !one.closest('.film')) // their labels are hit
    .filter((one) => {
        const { width, height } = one.getBoundingClientRect();
        return Math.min(width, height) < 43.5;
    })
    .map((one) => one.id || one.outerHTML)"""


def test_nothing_is_wider_than_the_screen_or_nameless_or_too_small_for_fingers(page, photo):
    open_photo(page, photo)
    page.locator("#photos").evaluate(
        "film => { for (let i = 0; i < 19; i++) film.append(film.firstChild.cloneNode(true)); }"
    )
    page.locator("ul.colors .pick").first.click()
    page.locator("#more").evaluate("details => { details.open = true }")
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen
    assert page.locator("#panel .scroll").evaluate("one => one.scrollWidth <= one.clientWidth")
    if page.evaluate("matchMedia('(pointer: coarse)').matches"):
        assert page.evaluate(SMALL) == []
    for _ in range(80):
        page.keyboard.press("Tab")
        assert page.evaluate(NAMED)


def test_the_api_page_names_every_route(page, address):
    page.goto(f"{address}docs.html")
    for route in ("POST /v1/photos", "POST /v1/photos/{photo_id}/render", "GET /v1/health"):
        expect(page.get_by_role("heading", name=route, exact=True)).to_be_visible()
    expect(page.locator("li code", has_text="layers.K.tints")).to_be_visible()  # of the planes


def test_a_person_can_take_part_in_a_study(serving, browser, tmp_path):
    for method in ("real", "ours"):
        (tmp_path / method).mkdir()
        for i in range(3):
            coffee(80 + i).rotate(90, expand=True).save(tmp_path / method / f"{i}.png")
    page = browser.new_page(locale="de-AT", viewport={"width": 740, "height": 360})
    page.context.add_init_script(path=AXE)
    page.goto(serving("study", str(tmp_path), "--seconds", "0.2"))
    expect(page.get_by_text("Paare: 3")).to_be_visible()
    expect(page.get_by_text("Jedes Paar ist 0,2 s lang zu sehen.")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Beginnen").click()
    for key in ("ArrowLeft", "ArrowRight", None):
        expect(page.locator("#left img")).to_have_attribute("src", re.compile("pictures"))
        page.wait_for_timeout(400)
        for width, height in ((740, 360), (360, 740)):  # both pictures at once
            page.set_viewport_size({"width": width, "height": height})
            box = page.locator("#right").bounding_box()
            assert box["y"] + box["height"] <= height
        assert "gone" in page.locator("#pair").get_attribute("class")
        assert violations(page) == []
        page.keyboard.press(key) if key else page.locator("#left").click()
    expect(page.get_by_text("Danke")).to_be_visible()
    lines = (tmp_path / "answers.csv").read_text().splitlines()
    assert len(lines) == 4
    page.close()
