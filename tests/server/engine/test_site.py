"""The site in headless Chromium, from static files alone: it colors as Python does."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Error
from safetensors.numpy import load as read_tensors
from skimage import data

import tintype
from server.engine.conftest import load
from tintype.batch.album import begin_album
from tintype.bins import rgb_of
from tintype.metadata.provenance import Provenance, find_recipe
from tintype.metadata.xmp import IPTC_EXT, Packet
from tintype.outcomes import measure_outcomes
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.server import shared
from tintype.server.planes import pack_planes
from tintype.server.schemas import Render
from tintype.server.service import Limits, Service, _groups
from tintype.server.store import Sizes

OPEN = """async (photo) => {
    const { LocalEngine } = await import("./engine/local.js");
    const engine = new LocalEngine();
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    globalThis.engine = engine;
    const file = new Blob([bytes], { type: "image/jpeg" });
    const said = new Set();
    globalThis.photo = await engine.open(file, (part, words) => said.add(words));
    let again = 0;
    await engine.open(file, (part) => { again = part; });
    return { ...globalThis.photo, said: [...said], again };
}"""
PACK = """const pack = (buffer) => btoa(Array.from(new Uint8Array(buffer),
    (byte) => String.fromCharCode(byte)).join(""));"""
DECODE = (
    """async (recipe) => {"""
    + PACK
    + """
    const { engine, photo } = globalThis;
    const { planes, colors, asked } = await engine.decode(photo, recipe, true);
    return { planes: pack(planes), colors, asked };
}"""
)


READ = """async (text) => {
    const { isColorful, openPicture } = await import("./engine/local/picture.js");
    (await import("./engine/local/shared.js")).share(await (await fetch("engine.json")).json());
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const file = new Blob([bytes], { type: "image/png" });
    const colorful = isColorful(await openPicture(file));
    return { colorful, ...await globalThis.engine.readPalette(file) };
}"""


CANCEL = """async (recipe) => {
    const ending = new AbortController();
    const how = { format: "PNG", strip_metadata: true };
    const { engine, photo } = globalThis;
    const saving = engine.save(photo, recipe, how, ending.signal);
    setTimeout(() => ending.abort(new Error("nobody waits")));
    await saving;
}"""
RESUME = """async ([recipe, isRead]) => {
    const { Enlarger } = await import("./engine/enlarger.js");
    const { engine, photo } = globalThis;
    const enlarger = new Enlarger();
    const file = await engine.luma(photo); // a PNG
    const luma = isRead ? enlarger.read(file) : null;
    const again = { ...photo };
    engine.resume(again, file);
    const answers = [photo, again].map((one) => engine.decode(one, recipe, true));
    const bytes = (await Promise.all(answers)).map(({ planes }) => new Uint8Array(planes).join());
    await engine.close(again);
    const { width } = await luma ?? photo;
    enlarger.close();
    return [bytes[0] === bytes[1], width === photo.width];
}"""
RECIPE = """async (recipe) => {
    const { jsonFile } = await import("./state/files.js");
    return jsonFile(await globalThis.engine.completeRecipe(recipe)).text();
}"""
PAUSES = """async () => {
    const { writePng } = await import("./png.js");
    const rgba = new Uint8ClampedArray(4 * 900 * 1000).fill(255);
    let pauses = 0;
    const file = await writePng(rgba, 900, 1000, true, async () => { pauses++; });
    const end = async () => { throw new Error(`after ${pauses}`); };
    const cut = writePng(rgba, 900, 1000, true, end);
    return [pauses, file.length, await cut.catch(({ message }) => message)];
}"""
SHRINK = """async () => {
    const { Service } = await import("./engine/local/service.js");
    const blank = { h: 1, w: 1, palette: { toJson() {} }, alternatives: [], luma: [] };
    const service = new Service({ encode: () => blank });
    service.colorizer.decode = () => ({ palette: { groups: [] } });
    const canvas = new OffscreenCanvas(300, 200);
    canvas.getContext("2d").fillRect(0, 0, 300, 200);
    const { width, height, shrunk } = await service.open(await canvas.convertToBlob(), 15000);
    return [width, height, shrunk];
}"""


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


@pytest.fixture(scope="module")
def opened(page, photo):
    """What the engine says of the photo, which it keeps."""
    return page.evaluate(OPEN, base64.b64encode(photo).decode())


@pytest.fixture(scope="module")
def encoded(photo):
    return load().encode(photo)


def to_json(recipe):
    """A recipe as the editor sends it."""
    about = json.loads(recipe.to_json())
    return {name: about[name] for name in ("palette", "alternative", "edits", "vividness")}


def check_groups(found, right):
    assert len(found) == len(right)
    for one, other in zip(found, right, strict=True):
        assert one["share"] == pytest.approx(other.share, abs=2e-3)
        rgb = [np.array(rgb_of(group)) for group in (one["color"], other.color)]
        assert np.abs(rgb[0] - rgb[1]).max() <= 3


def test_it_colors_as_python_does(page, encoded, opened):
    colorizer = load()
    assert (opened["width"], opened["height"]) == encoded.photo.size
    sizes = [re.fullmatch(r"Loading .*: (\d+) of (\d+) MB", one) for one in opened["said"] if one]
    size = sum(len(shared.read_graph(load().model, name)) for name in shared.GRAPHS)
    assert {int(one[2]) for one in sizes} == {round(size / 2**20)}
    assert opened["again"] == 1
    assert tuple(opened["planes"]) == encoded.encoding.luma.shape
    assert (opened["format"], opened["colorful"], opened["alpha"]) == ("JPEG", False, False)
    for recipe in make_recipes():
        answer = page.evaluate(DECODE, to_json(recipe))
        found = read_tensors(base64.b64decode(answer["planes"]))
        result = colorizer.decode(encoded, recipe)
        right = read_tensors(pack_planes(result))
        assert found.keys() == right.keys(), recipe
        assert right.keys() >= {"chroma", "border"}
        for name, values in right.items():
            away = np.abs(found[name].astype(int) - values)
            # Convolutions are in whole numbers, which differ by one, and bans have edges.
            assert np.quantile(away, 0.995) <= 1, (name, recipe)
            assert away.max() <= 8, (name, recipe)
            assert away.mean() < 0.05, (name, recipe)
        shares = {one["color"]: one["share"] for one in answer["colors"]}
        for color, share in result.palette.colors(0.004):
            assert shares[color] == pytest.approx(share, abs=1e-3), recipe
        asked = measure_outcomes(recipe.edits, encoded.encoding.luma, result.chroma)
        assert [(one["color"], one["asked"]) for one in answer["asked"]] == [
            (one.color, one.asked) for one in asked
        ]


ASK = """async ([task, ...parts]) => {
    const given = task === "album" ? [[globalThis.photo, globalThis.photo]] : [globalThis.photo];
    const answer = await globalThis.engine[task](...given, ...parts);
    if (!(answer instanceof Blob)) return answer;
    const reader = new FileReader();
    const read = new Promise((resolve) => { reader.onload = resolve; });
    reader.readAsDataURL(answer);
    await read;
    return reader.result.split(",")[1];
}"""


def test_it_answers_as_python_does(page, encoded, opened):
    service = Service(load(), Limits(), None)
    sizes = Sizes.of(encoded)
    recipes = [Recipe(alternative=k) for k in range(5)]
    shown = [service.colorizer.decode(encoded, recipe).palette for recipe in recipes]
    for one, palette in zip([opened, *opened["alternatives"]], shown, strict=True):
        check_groups(one["groups"], _groups(palette))
    recipe = make_recipes()[4]
    asked = Render(**to_json(recipe))
    target = page.evaluate(ASK, ["targetPalette", to_json(recipe)])
    right = service.target_palette(sizes, asked)
    check_groups(target["groups"], right.groups)
    shares = {one["color"]: one["share"] for one in target["palette"]["colors"]}
    assert shares.keys() == {one["color"] for one in right.palette["colors"]}
    suggested = page.evaluate(ASK, ["suggest", [0.5, "200px"], to_json(recipe)])
    check_groups(suggested, encoded.suggest(0.5, "200px", recipe))
    for reach in (None, 0.2):
        png = page.evaluate(ASK, ["region", [0.5, 0.3], reach])
        found = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L")).astype(int)
        away = np.abs(found - 255 * encoded.region(0.5, 0.3, reach))
        assert np.quantile(away, 0.995) <= 3
    model = service.colorizer.model
    for one in make_recipes():
        file = page.evaluate(RECIPE, to_json(one))
        assert json.loads(file) == json.loads(one.complete(model).to_json())
        assert file == Recipe.from_json(file).complete(model).to_json()  # as the command saves it


def save(page, recipe, format, layers=False):
    how = {"format": format, "strip_metadata": False, "layers": layers}
    file = page.evaluate(ASK, ["save", to_json(recipe), how])
    return Image.open(io.BytesIO(base64.b64decode(file)))


@pytest.mark.usefixtures("opened")
def test_what_it_saves_is_what_the_command_saves(page, encoded):
    for recipe in make_recipes()[3:]:
        png = save(page, recipe, "PNG")
        right = np.asarray(load().decode(encoded, recipe).image).astype(int)
        away = np.abs(np.asarray(png).astype(int) - right).max(-1)
        assert np.mean(away <= 2) >= 0.995, recipe
        luma = np.asarray(png.convert("L")).astype(int)
        assert np.mean(np.abs(luma - encoded.photo.luma) <= 1) >= 0.999, recipe
    complete = json.loads(recipe.complete(load().model).to_json())
    assert dict(png.getexif()) == {0x010F: "Maker", 0x0112: 1}
    assert json.loads(find_recipe([png.info["xmp"]])) == complete
    jpeg = save(page, recipe, "JPEG")
    assert (jpeg.format, jpeg.size) == ("JPEG", png.size)
    assert dict(jpeg.getexif()) == {0x010F: "Maker", 0x0112: 1}
    assert json.loads(find_recipe([jpeg.info["xmp"]])) == complete
    packet = Packet(jpeg.info["xmp"])
    right = Packet()
    Provenance(recipe.complete(load().model).to_json()).stamp(right)
    for name in (("http://ns.adobe.com/xap/1.0/", "CreatorTool"), (IPTC_EXT, "DigitalSourceType")):
        assert packet.get(*name) == right.get(*name) != ""
    alone, right = save(page, recipe, "PNG", layers=True), io.BytesIO()
    load().decode(encoded, recipe).save_layers(right, format="PNG")
    away = np.abs(np.asarray(alone).astype(int) - np.asarray(Image.open(right))).max(-1)
    assert np.mean(away <= 2) >= 0.995
    assert 0.02 < np.mean(np.asarray(alone)[..., 3] == 0) < 0.98
    with pytest.raises(Error, match="Browsers do not write two layers"):
        save(page, recipe, "TIFF", layers=True)
    with pytest.raises(Error, match="Browsers do not write TIFF"):
        save(page, recipe, "TIFF")
    with pytest.raises(Error, match="nobody waits"):
        page.evaluate(CANCEL, to_json(recipe))
    pauses, size, cut = page.evaluate(PAUSES)
    assert (pauses, cut) == (3, "after 3")
    assert 1000 < size < 10_000


@pytest.mark.usefixtures("opened")
def test_a_photo_of_before_is_gone_on_with(page):
    for recipe in make_recipes()[1:3]:
        for is_read in (False, True):
            assert page.evaluate(RESUME, [to_json(recipe), is_read]) == [True, True]


def test_the_page_asks_for_its_modules_at_once(site):
    names = re.findall(r'rel="modulepreload" href="([^"]+)"', (site / "index.html").read_text())
    assert len(names) == len(set(names)) > 50
    assert all((site / name).is_file() for name in names)
    for name in names:  # and for what they import
        text = (site / name).read_text()
        imported = re.findall(r'^(?:import|export) .*from "(\..+)";', text, re.M)
        found = [(site / name).parent.joinpath(one).resolve() for one in imported]
        assert {one.relative_to(site.resolve()).as_posix() for one in found} <= set(names)


def make_colored():
    """Pictures in color, in the tint of a toned print, and of few colors, with what is clear."""
    astronaut = data.astronaut()
    gray = astronaut.mean(-1) / 255
    sepia = np.stack([gray**0.8, gray, gray**1.3], -1)
    blue = np.stack([gray**1.6, gray**1.1, gray**0.6], -1)
    toned = [(255 * tint).astype(np.uint8) for tint in (sepia, blue)]
    flat = np.full((40, 30, 3), (200, 40, 40), np.uint8)
    clear = np.dstack([astronaut, np.uint8(255) * (np.indices(gray.shape)[1] < 300)])
    return [astronaut, data.coffee(), *toned, flat, clear, np.zeros_like(clear)]


@pytest.mark.usefixtures("opened")
def test_it_reads_pictures_as_python_does(page):
    model = load().model
    found = []
    for picture in make_colored():
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        text = base64.b64encode(file.getvalue()).decode()
        answer = page.evaluate(READ, text)
        found.append(answer["colorful"])
        assert answer["colorful"] == tintype.photo.read(file.getvalue()).colorful
        rgb = tintype.photo.read_rgb(file.getvalue(), max_side=2048)
        right = Palette.measure(rgb, model.bins, side=model.side).to_json()
        shares = {one["color"]: one["share"] for one in right["colors"]}
        read = {one["color"]: one["share"] for one in answer["palette"]["colors"]}
        away = [abs(read.get(c, 0) - shares.get(c, 0)) for c in shares.keys() | read.keys()]
        if picture.shape[2] == 3:  # of what is clear a browser keeps no color
            assert sum(away) < 0.02, picture.shape
    shrunk = {"width": 300, "height": 200, "most": 0.015}
    assert page.evaluate(SHRINK) == [150, 100, shrunk]
    assert found == [True, True, False, False, False, True, False]


@pytest.mark.usefixtures("opened")
def test_an_album_begins_as_in_python(page, encoded):
    estimate = encoded.palette
    for cohesion in (0.0, 0.6):
        album = page.evaluate(ASK, ["album", cohesion])
        right = begin_album([estimate, estimate], cohesion)
        for variant, one in zip(album["variants"], right, strict=True):
            shares = {c["color"]: c["share"] for c in one["colors"]}
            found = {c["color"]: c["share"] for c in variant["palette"]["colors"]}
            assert max(abs(found.get(c, 0) - shares[c]) for c in shares) < 1e-3
            assert variant["palette"]["tones"].keys() == one["tones"].keys()
        assert album["vividness"] == load().model.vividness
