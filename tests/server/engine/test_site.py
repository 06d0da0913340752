"""The site in headless Chromium, from static files alone: it colors as Python does."""

import base64
import io
import json
import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load as read_tensors
from skimage import data

import tintype
from server.editor.conftest import browser  # noqa: F401
from tintype.pins import write_mask
from tintype.recipe import Recipe
from tintype.server.planes import pack_planes

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))
from make_site import make_site


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the site, and what ends its server."""
    folder = tmp_path_factory.mktemp("site") / "sub"
    make_site(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/sub/", server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def page(browser, site):  # noqa: F811
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.problems = []
    page.on("console", lambda one: one.type == "error" and page.problems.append(one.text))
    page.on("pageerror", lambda one: page.problems.append(str(one)))
    page.hosts = set()
    page.on("request", lambda one: page.hosts.add(one.url[: len(site[0])]))
    page.goto(site[0])
    yield page
    context.close()


@pytest.fixture(scope="module")
def photo():
    """A gray photo with a white border, upright only by its EXIF, as a JPEG file."""
    gray = Image.fromarray(data.astronaut()).convert("L").resize((450, 600))
    gray.paste(255, (0, 0, 450, 20))
    gray.paste(255, (0, 580, 450, 600))
    exif = gray.getexif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    file = io.BytesIO()
    gray.rotate(90, expand=True).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


OPEN = """async (photo) => {
    const { LocalEngine } = await import("./engine/local.js");
    const engine = new LocalEngine();
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    globalThis.engine = engine;
    globalThis.photo = await engine.open(new Blob([bytes], { type: "image/jpeg" }), () => {});
    return globalThis.photo;
}"""
PACK = """const pack = (buffer) => btoa(Array.from(new Uint8Array(buffer),
    (byte) => String.fromCharCode(byte)).join(""));"""
DECODE = (
    """async (recipe) => {"""
    + PACK
    + """
    const { planes, colors, asked } = await globalThis.engine.decode(globalThis.photo, recipe, true);
    return { planes: pack(planes), colors, asked };
}"""
)


def make_recipes():
    mask = Image.new("L", (60, 80))
    mask.paste(255, (30, 0, 60, 40))
    begin = Recipe()
    return [
        begin,
        Recipe(alternative=2, vividness=1.0),
        begin.towards("hue:210", 0.5).saturate(1.4).shift_hue(30),
        begin.ban("red").ban("gray"),
        begin.recolor([{"from": "#b98", "to": "teal", "scale": 1.5}]).boost("gold", 0.2),
        begin.saturate(0.0),
        begin.at(0.5, 0.3, "#c03030").at(0.52, 0.7, "orange", 0.3).at(0.1, 0.5, "keep"),
        begin.mask(mask, "navy").protect(mask.rotate(180)),
    ]


def test_it_colors_as_python_does(page, photo):
    colorizer = tintype.load()
    encoded = colorizer.encode(photo)
    opened = page.evaluate(OPEN, base64.b64encode(photo).decode())
    assert (opened["width"], opened["height"]) == encoded.photo.size
    assert tuple(opened["planes"]) == encoded.encoding.luma.shape
    assert opened["format"] == "JPEG"
    assert not opened["colorful"]
    for recipe in make_recipes():
        about = json.loads(recipe.to_json())
        asked = {k: about[k] for k in ("palette", "alternative", "edits", "vividness")}
        answer = page.evaluate(DECODE, asked)
        found = read_tensors(base64.b64decode(answer["planes"]))
        result = colorizer.decode(encoded, recipe)
        right = read_tensors(pack_planes(result))
        assert found.keys() == right.keys(), recipe
        for name, values in right.items():
            away = np.abs(found[name].astype(int) - values)
            print(name, away.max(), np.quantile(away, 0.995), away.mean())
    assert page.problems == []
