"""A visit of the site in headless Chromium: of its first page, its documentation, and offline."""

from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import expect
from static_host import serve

from server.editor.conftest import AXE, PICTURES, SIZES, color_of, wait_for, wait_for_colors
from server.engine.conftest import watch

KEPT = """async () => (await (await caches.open("tintype-models")).keys()).length === 2"""


def check_access(page):
    """No serious fault for anybody, and nothing wider than the page."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def take_picture(page, name):
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


def test_a_person_colors_with_the_network_cut(browser, site, photo, tmp_path):
    width, height = SIZES["phone"]
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    page = watch(context)
    with serve(site.parent) as address:
        page.goto(f"{address}/sub/")
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        wait_for(lambda: page.evaluate(KEPT))
        colored = page.locator("#samples .colored")
        expect(colored).to_have_count(3)
        assert min(color_of(colored.nth(k)) for k in range(3)) > 8
        take_picture(page, "site-first")
        check_access(page)
        assert page.get_attribute("#about a", "href") == "docs/"
    context.set_offline(True)
    page.reload()
    assert page.evaluate("crossOriginIsolated")
    path = tmp_path / "old.jpg"
    path.write_bytes(photo)
    page.set_input_files("#files", path)
    wait_for_colors(page)
    take_picture(page, "site-colored")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as saving:
        page.tap("#save")
    with Image.open(saving.value.path()) as saved:
        assert saved.size == (450, 600)
    assert {urlsplit(host).netloc for host in page.hosts} == {urlsplit(address).netloc}
    assert page.problems == []
    context.close()


def test_the_documentation_is_read_by_anybody(browser, site):
    context = browser.new_context(color_scheme="dark")
    page = watch(context)
    with serve(site.parent) as address:
        for size, name in (("desk", ""), ("phone", "editor.html")):
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{address}/sub/docs/{name}")
            take_picture(page, f"docs-{size}")
            check_access(page)
        for name in ("python.html", "evaluation.html"):
            page.goto(f"{address}/sub/docs/{name}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        page.click(".open")
        assert page.url == f"{address}/sub/"
    assert page.problems == []  # as the pages' policy would cause
    context.close()
