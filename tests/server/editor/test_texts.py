"""The editor's sentences, in English and German: none is missing, none is left behind."""

import json
import re

from photos import encoded
from playwright.sync_api import expect

from server.conftest import coffee
from tintype.server.app import STATIC

SOURCE = [
    path.read_text(encoding="utf-8")
    for path in [*STATIC.rglob("*.js"), STATIC / "index.html", STATIC / "study.html"]
    if path.parent.name != "texts"
]
BUILT = re.compile(
    "preset-|swatch-|problem-"
)  # keys that are put together from a prefix and a name


def test_the_page_speaks_german(browser, address):
    context = browser.new_context(locale="de-AT")
    page = context.new_page()
    page.goto(address)
    en, de, left = page.evaluate(
        """async () => {
            const { en } = await import('/texts/en.js');
            const { de } = await import('/texts/de.js');
            (await import('/text.js')).fillIn();
            const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            const words = [];
            while (walk.nextNode()) words.push(walk.currentNode.data);
            for (const name of ['title', 'aria-label', 'placeholder']) {
                const named = document.querySelectorAll(`[${name}]`);
                words.push(...[...named].map((one) => one.getAttribute(name)));
            }
            const plain = (text) => text.replace(/\\s+/g, ' ').trim();
            const english = new Set(Object.keys(en).filter(k => en[k] !== de[k]).map(k => en[k]));
            return [en, de, words.map(plain).filter(text => english.has(text))];
        }"""
    )
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator("#choose").inner_text() == de["choose-photos"] != en["choose-photos"]
    assert left == []
    assert list(en) == list(de)
    for key, text in en.items():
        assert min(len(text.strip()), len(de[key].strip())), key
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", de[key])), key
    named = set(re.findall(r'data-(?:text|title|label|placeholder)="([^"]*)"', "".join(SOURCE)))
    assert named <= set(en)
    unused = [k for k in en if not BUILT.match(k) and not any(f'"{k}"' in s for s in SOURCE)]
    assert unused == []
    page.goto(f"{address}?lang=en")
    page.evaluate("import('/text.js').then(({ fillIn }) => fillIn())")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("#choose").inner_text() == en["choose-photos"]
    context.close()


def test_what_the_server_refuses_is_said_in_german(browser, address, tmp_path):
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(address)
    file = tmp_path / "a.jpg"
    file.write_bytes(encoded(coffee().convert("L"), "JPEG")[:4000])
    said = page.locator("#message")
    page.set_input_files("#files", file)
    expect(said).to_contain_text("a.jpg: ein JPEG, dessen Ende fehlt; bitte eine andere Kopie")
    answers = []
    values = {"width": 9000, "height": 8000, "most": 50.0}
    for kind, words in {
        "pixels": "9000 × 8000 Pixel sind mehr als die erlaubten 50 Megapixel",
        "of-tomorrow": "Der Server lehnt das ab: „expected another day“",
    }.items():
        about = {"type": f"urn:tintype:problem:{kind}", "detail": "expected another day"}
        answers.append(json.dumps(about | {"status": 422, "values": values}))
        page.route("**/v1/photos", lambda route: route.fulfill(status=422, body=answers[-1]))
        page.set_input_files("#files", file)
        expect(said).to_contain_text(words)
    context.close()
