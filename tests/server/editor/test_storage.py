"""Nothing is lost: by a reload, a broken store, a full disk, a server that is gone, or Close."""

import re
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from server.conftest import coffee
from server.editor.conftest import (
    open_photo,
    read_pixels,
    set_slider,
    wait_for,
    wait_until_settled,
)

DESK = pytest.mark.parametrize("page", ["desk"], indirect=True)
WELCOME = "Drop a black-and-white photograph"
KEPT = 800  # milliseconds until what was done is written


def spread(page: Page) -> float:
    """How far the photo is from gray: how much channels differ, 0..255, in the mean."""
    return float(np.ptp(read_pixels(page), axis=2).mean())


def press(page: Page, name: str) -> None:
    page.locator("#message").get_by_role("button", name=name).click()


@DESK
def test_a_reload_goes_on_where_one_was(page, photo, tmp_path):
    other = tmp_path / "other.png"
    coffee(200).rotate(90, expand=True).convert("L").save(other)
    open_photo(page, photo, other)
    plain = read_pixels(page)
    set_slider(page, "strength", 0.3)
    faint = read_pixels(page)
    assert (faint != plain).any()
    page.locator("#pixels").click()
    page.wait_for_timeout(KEPT)
    view = page.locator("photo-viewer").evaluate("viewer => viewer.view")

    sent = []
    page.on("request", lambda r: sent.append(r.url) if r.url.endswith("/photos") else None)
    page.reload()
    expect(page.locator("#message")).to_contain_text("Continued from")
    expect(page.locator("#photos img")).to_have_count(2)
    expect(page.locator("#variants img")).to_have_count(5)
    wait_until_settled(page)
    assert sent == []  # the server still has it
    assert page.locator("photo-viewer").evaluate("viewer => viewer.view") == view
    page.locator("#fit").click()
    np.testing.assert_array_equal(read_pixels(page), faint)
    page.locator("#undo").click()
    np.testing.assert_array_equal(read_pixels(page), plain)
    expect(page.locator("#redo")).to_be_enabled()

    tab = page.context.new_page()  # has photos of its own
    tab.goto(page.url)
    expect(tab.get_by_text(WELCOME)).to_be_visible()
    tab.set_input_files("#files", str(other))
    expect(tab.locator("#photos img")).to_have_count(1)
    tab.wait_for_timeout(KEPT)
    tab.close()
    page.reload()
    expect(page.locator("#photos img")).to_have_count(2)
    press(page, "Start new")
    expect(page.get_by_text(WELCOME)).to_be_visible()
    press(page, "Undo")
    expect(page.locator("#photos img")).to_have_count(2)

    page.locator("#close").click()
    expect(page.locator("#photos img")).to_have_count(1)
    expect(page.locator("#message")).to_contain_text(photo.name)
    press(page, "Undo")
    expect(page.get_by_role("option", name=photo.name, selected=True)).to_be_visible()
    expect(page.locator("#redo")).to_be_enabled()
    page.locator("#close").click()
    page.wait_for_timeout(KEPT)
    held = page.context.new_page()
    held.goto(f"{page.url}docs.html")
    held.evaluate("void navigator.locks.request('tintype-1 held', () => new Promise(() => {}))")
    held.evaluate(AGE, {"old": 31, "held": 31, "young": 29})
    page.reload()  # what is closed stays closed, and what is old goes unless a tab has it
    expect(page.locator("#photos img")).to_have_count(1)
    for store in ("sessions", "photos", "files"):
        assert {*held.evaluate(KEYS, store)} & {"old", "held", "young"} == {"held", "young"}


AGE = """(days) => new Promise((resolve) => {
    const request = indexedDB.open("tintype-1");
    request.onsuccess = () => {
        const names = ["sessions", "photos", "files"];
        const transaction = request.result.transaction(names, "readwrite");
        const [sessions, ...others] = names.map((name) => transaction.objectStore(name));
        for (const [id, age] of Object.entries(days)) {
            const saved = Date.now() - age * 86_400_000;
            sessions.put({ version: 1, saved, order: ["a"], open: "a", model: "" }, id);
            for (const store of others) store.put({ name: "a" }, [id, "a"]);
        }
        transaction.oncomplete = () => resolve(request.result.close());
    };
})"""
KEYS = """(store) => new Promise((resolve) => {
    const request = indexedDB.open("tintype-1");
    request.onsuccess = () => {
        const keys = request.result.transaction(store).objectStore(store).getAllKeys();
        keys.onsuccess = () => resolve(keys.result.map((key) => [key].flat()[0]));
    };
})"""
BREAK = """([store, key, value]) => new Promise((resolve, reject) => {
    const request = indexedDB.open("tintype-1");
    request.onsuccess = () => {
        const transaction = request.result.transaction(store, "readwrite");
        const cursor = transaction.objectStore(store).openCursor();
        cursor.onsuccess = () => cursor.result.update({ ...cursor.result.value, [key]: value });
        transaction.oncomplete = resolve;
        transaction.onabort = reject;
    };
})"""


@DESK
def test_a_broken_store_is_set_aside(page, photo, address):
    def spoil(*what) -> None:
        page.goto(f"{address}docs.html")  # where nothing is written
        page.evaluate(BREAK, what)
        page.goto(address)

    open_photo(page, photo)
    set_slider(page, "strength", 0.3)
    wait_until_settled(page)
    page.wait_for_timeout(KEPT)
    spoil("photos", "states", [{"spots": 5}])
    expect(page.locator("#variants img")).to_have_count(5)  # the photo is there, its choices not
    expect(page.locator("#undo")).to_be_disabled()
    spoil("sessions", "version", 99)
    expect(page.get_by_text(WELCOME)).to_be_visible()
    page.add_init_script("""
        const open = indexedDB.open.bind(indexedDB);
        const names = [];
        indexedDB.open = (name, version) => {
            names.push(name);
            if (names.length > 1) return open(name, version);
            setTimeout(() => request.onerror());
            const request = { error: new DOMException("broken", "UnknownError") };
            return request;
        };
    """)
    page.reload()
    open_photo(page, photo)
    page.wait_for_timeout(KEPT)
    page.reload()
    expect(page.locator("#photos img")).to_have_count(1)


@DESK
def test_a_full_store_is_said_once_and_the_page_goes_on(page, photo, address):
    prompts = []
    page.on("dialog", lambda dialog: [prompts.append(dialog.type), dialog.accept()])
    page.context.new_cdp_session(page).send(
        "Storage.overrideQuotaForOrigin", {"origin": address.rstrip("/"), "quotaSize": 100}
    )
    open_photo(page, photo)
    expect(page.locator("#message .error")).to_have_count(1)
    expect(page.locator("#message")).to_contain_text("no room to keep my coffee.jpg")
    press(page, "Dismiss")
    plain = read_pixels(page)
    set_slider(page, "strength", 0.3)
    wait_until_settled(page)
    page.wait_for_timeout(KEPT)
    assert (read_pixels(page) != plain).any()
    expect(page.locator("#message .error")).to_have_count(0)
    page.reload()
    assert prompts == ["beforeunload"]


@pytest.fixture
def start(tintype_command) -> Iterator:
    """Start a server of its own, on a port of before if one is given."""
    running = []

    def start(port: str = "0") -> tuple[subprocess.Popen, str]:
        command = [tintype_command, "serve", "--no-browser", "--port", port]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        return process, found[0]

    yield start
    for process in running:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_edits_are_kept_while_the_server_is_gone(browser, photo, start, tmp_path):
    process, address = start()
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    open_photo(page, photo)
    colored = spread(page)
    process.terminate()
    process.wait(20)
    set_slider(page, "strength", 0.3)
    expect(page.locator("#offline")).to_contain_text("The server does not answer")
    page.locator("#save").click()
    page.locator("#save").click()
    waiting = page.locator("#message .waiting")
    expect(waiting).to_contain_text("my coffee.jpg will be saved once it does")
    set_slider(page, "strength", 0)
    other = tmp_path / "other.png"
    coffee(200).convert("L").save(other)
    page.set_input_files("#files", str(other))
    expect(page.locator("#message")).not_to_contain_text("fetch")
    expect(page.locator("#message .error")).to_have_count(0)
    downloads = []
    page.on("download", lambda one: downloads.append(one.suggested_filename))
    start(re.search(r":(\d+)", address)[1])
    expect(page.locator("#offline")).to_be_empty(timeout=15_000)
    expect(page.locator("#message")).to_contain_text("Saved my coffee.color.jpg.")
    expect(waiting).to_have_count(0)
    assert downloads == ["my coffee.color.jpg"]
    wait_for(lambda: spread(page) < colored / 8)
    page.get_by_role("option", name="other.png").click()
    expect(page.locator("#variants img")).to_have_count(5)  # it was sent when the server was back
    context.close()
