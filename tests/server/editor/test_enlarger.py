"""The page's enlargement of colors is Python's: photos' luma, edges, pins, masks and borders."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from photos import encoded
from PIL import Image
from safetensors.numpy import save
from skimage import data

import tintype.server
from tintype.border import fade
from tintype.layers import Layer, tint
from tintype.photo import read
from tintype.server.planes import pack_planes
from tintype.upsample import upsample

ENGINE = Path(tintype.server.__file__).parent / "static" / "engine"

RUN = """
import fs from "node:fs";
import { Guide } from "./engine/guide.js";
const answers = [];
let guide = null;
for (const { luma, planes, quick } of JSON.parse(fs.readFileSync(0, "utf8"))) {
  if (luma) guide = new Guide(new Uint8Array(Buffer.from(luma.plane, "base64")), ...luma.size);
  try {
    const bytes = new Uint8Array(Buffer.from(planes, "base64"));
    const { rg, width, height } = guide.enlarge(bytes.buffer, quick);
    answers.push({ rg: Buffer.from(rg).toString("base64"), width, height });
  } catch (error) {
    answers.push({ error: error.message });
  }
}
console.log(JSON.stringify(answers));
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Enlarge planes, each for the luma before it, by the page's code in Node.js."""
    folder = tmp_path_factory.mktemp("engine")
    (folder / "package.json").write_text('{"type": "module"}')
    shutil.copytree(ENGINE, folder / "engine")
    (folder / "run.js").write_text(RUN)

    def run(*cases):
        text = json.dumps(
            [
                {"luma": None if luma is None else describe(luma), "planes": b64(p), "quick": quick}
                for luma, p, quick in ((*case, False)[:3] for case in cases)
            ]
        )
        done = subprocess.run(
            ["node", "run.js"], cwd=folder, input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def describe(luma: np.ndarray) -> dict:
    return {"plane": b64(luma.tobytes()), "size": luma.shape}


def luma_of(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).convert("L"))


def result_of(
    rgb: np.ndarray, size: tuple[int, int], layers: tuple[Layer, ...] = (), border=None
) -> SimpleNamespace:
    """What a decoder would give that knew a photo's colors, in whole numbers as they are sent."""
    small = Image.fromarray(rgb).convert("YCbCr").resize(size[::-1], Image.Resampling.BOX)
    chroma = np.moveaxis(np.asarray(small).astype(np.float32)[..., 1:] - 128, -1, 0)
    return SimpleNamespace(chroma=chroma, layers=layers, border=border)


def enlarge(result: SimpleNamespace, luma: np.ndarray) -> np.ndarray:
    """(2, H, W): what Python makes of it."""
    planes = upsample(result.chroma, luma, layers=result.layers)
    return np.stack([p if result.border is None else fade(p, result.border) for p in planes])


def finish(answer: dict, luma: np.ndarray) -> np.ndarray:
    """(2, H, W): the page's planes as large as the photo, and in gamut."""
    size = answer["height"], answer["width"], 2
    planes = np.frombuffer(base64.b64decode(answer["rg"]), np.uint8).reshape(size)
    chroma = np.moveaxis(planes.astype(np.float32) - 128, -1, 0)
    return np.stack(upsample(chroma, luma, guided=False))


def bump(x: float, y: float, reach: float) -> np.ndarray:
    """(48, 64) float32, 0..1: how much of a photo is near a place."""
    down, along = np.mgrid[0:48, 0:64]
    away = np.hypot(along + 0.5 - 64 * x, down + 0.5 - 48 * y) / reach
    return np.exp(-(away**4)).astype(np.float32)


PLACES = ((0.31, 0.42), (0.69, 0.62), (0.34, 0.44), (0.99, 0.01))
COLORS = (((0.1, 0.05), 120), ((-0.08, 0.02), 90), ((0, -0.1), 160), ((0.03, 0.12), 60))


def pins() -> Layer:
    shares = np.stack([bump(*place, 7) for place in PLACES[:3]] + [np.zeros((48, 64), np.float32)])
    shares[2, 30:38, 20:44:2] = 1  # with an end, unlike the others
    shares = np.rint(255 * shares / np.maximum(shares.sum(0), 1)) / 255
    tints = np.stack([tint(np.array(color), level) for color, level in COLORS])
    levels = tuple(level for _, level in COLORS)
    return Layer(shares.astype(np.float32), np.rint(tints), PLACES, levels)


def mask() -> Layer:
    shares = np.zeros((1, 10, 15), np.float32)
    shares[0, 2:5, 8:13:2] = 1
    return Layer(shares, np.rint(tint(np.array([0.02, 0.12]), 140)[None]), fine=True)


def frame(high: int, wide: int) -> np.ndarray:
    border = np.ones((high, wide), bool)
    border[high // 12 : -high // 12, wide // 12 : -wide // 12] = False
    return border


def photos() -> dict[str, tuple[np.ndarray, SimpleNamespace]]:
    coffee, astronaut, camera = data.coffee(), data.astronaut(), data.camera()
    large = np.asarray(Image.fromarray(coffee).resize((1501, 1003)))
    every = {
        "coffee": (coffee, (48, 64)),
        "square": (astronaut, (56, 56)),
        "camera, in three colors": (np.dstack([camera, camera[::-1], camera.T]), (64, 64)),
        "tall": (astronaut[:, 200:290], (224, 56)),
        "smaller than the planes": (coffee[200:207, 200:205], (48, 64)),
        "one pixel": (coffee[:1, :1], (56, 56)),
        "narrower than the planes": (coffee[:30], (48, 64)),
        "odd sizes": (coffee[3:340, 5:508], (41, 61)),
        "pins": (coffee, (48, 64), (pins(),)),
        "a mask over pins, large": (large, (48, 64), (pins(), mask())),
        "border": (coffee, (48, 64), (), frame(96, 128)),
    }
    return {
        name: (luma_of(np.ascontiguousarray(rgb)), result_of(rgb, *rest))
        for name, (rgb, *rest) in every.items()
    }


def test_colors_are_those_that_python_makes(run):
    cases = photos()
    answers = run(*((luma, pack_planes(result)) for luma, result in cases.values()))
    apart = {}
    for (name, (luma, result)), answer in zip(cases.items(), answers, strict=True):
        apart[name] = np.abs(finish(answer, luma).astype(int) - enlarge(result, luma)).max(0)
        assert answer["width"] * answer["height"] < 502_000
    near = {name: ((error <= 1).mean(), (error <= 2).mean()) for name, error in apart.items()}
    high, wide = apart["pins"].shape
    for x, y in PLACES:  # a pin has its own color, and so have the pixels around it
        row, column = int(y * high), int(x * wide)
        assert apart["pins"][max(0, row - 1) : row + 2, column - 1 : column + 2].max() <= 1
    assert {k: v for k, v in near.items() if v[0] < 0.996 or v[1] < 0.9992} == {}


def test_edits_one_after_the_other_are_as_if_each_was_the_first(run):
    """What was computed for one edit is kept for the next, where nothing that it is of changes."""
    rgb = data.coffee()[::2, ::2]
    luma, other = luma_of(rgb), result_of(np.ascontiguousarray(rgb[:, ::-1]), (48, 64))
    plain, laid = result_of(rgb, (48, 64)), result_of(rgb, (48, 64), (pins(),))
    moved = pins()
    moved.shares[0] *= 0.5
    last = np.zeros((1, 20, 30), np.float32)
    last[0, 5:9, 6:20] = 1
    steps = [
        plain, laid, result_of(rgb, (48, 64), (moved,)), laid, plain, other,
        result_of(rgb, (48, 64), (mask(), pins())), result_of(rgb, (24, 32), (), frame(12, 16)),
        result_of(rgb, (24, 32), (Layer(last, pins().tints[:1]),), frame(12, 16)),
        result_of(rgb, (24, 32), (Layer(last, pins().tints[:1], fine=True),), frame(12, 16)),
        result_of(rgb, (24, 32), (), frame(24, 32)), plain,
    ]  # fmt: skip
    planes = [pack_planes(step) for step in steps]
    together = run((luma, planes[0]), *((None, p) for p in planes[1:]))
    assert together == run(*((luma, p) for p in planes))
    assert len({answer["rg"] for answer in together}) == 9


def test_a_moving_hand_sees_half_the_size_but_for_what_lies_over_the_colors(run):
    names = ("coffee", "square", "one pixel", "pins", "border")
    cases = [photos()[name] for name in names]
    quick = run(*((luma, pack_planes(result), True) for luma, result in cases))
    whole = run(*((luma, pack_planes(result)) for luma, result in cases))
    for name, (luma, result), one, other in zip(names, cases, quick, whole, strict=True):
        if name not in ("coffee", "square"):
            assert one == other
            continue
        high, wide = one["height"], one["width"]
        assert 0.4 < high / other["height"] < 0.7
        small = np.asarray(Image.fromarray(luma).resize((wide, high), Image.Resampling.BOX))
        apart = np.abs(finish(one, small).astype(int) - enlarge(result, small))
        flat = np.stack(upsample(result.chroma, small, guided=False)).astype(int)
        blurred = np.abs(flat - enlarge(result, small))
        # Edges of luma that was shrunk twice are others.
        assert (apart > 2).mean() < min(0.04, 0.4 * (blurred > 2).mean())


def test_where_there_is_nothing_costs_time_only(run):
    """A gray over a gray photo changes nothing, but then no place has shares of 0."""
    gray = np.ascontiguousarray(np.dstack([data.camera()[100:300, 100:400]] * 3))
    shares, tints = pins().shares[2:3], pins().tints[2:3]
    bare, full = (
        result_of(gray, (48, 64), (Layer(np.concatenate([shares, *more]), tints.repeat(n, 0)),))
        for n, more in ((1, ()), (2, (np.full_like(shares, 1 / 255),)))
    )
    full.layers[0].tints[1] = 0
    one, other = run(*((gray[..., 0], pack_planes(result)) for result in (bare, full)))
    assert one == other


def test_planes_that_are_cut_off_or_none_are_refused_in_one_line(run):
    luma = luma_of(data.coffee()[:40, :60])
    whole = pack_planes(result_of(data.coffee(), (12, 16), (pins(),)))
    size = int.from_bytes(whole[:8], "little")
    byte = np.zeros(1, np.int8)
    broken = [
        b"", whole[:7], whole[:40], whole[: size + 9], whole[:-1], b"\xff" * 64,
        whole[:8] + b"x" * size + whole[8 + size :], b"\2" + bytes(7) + b"[]", save({}),
        save({"chroma": byte}), save({"chroma": np.zeros((2, 3, 4), np.float64)}),
        save({"chroma": np.zeros((2, 0, 4), np.int8)}),
        whole.replace(b"layers.0.tints", b"layers.0.tinks"),
    ]  # fmt: skip
    answers = run((luma, whole), *((None, planes) for planes in broken))
    assert "error" not in answers[0]
    for answer in answers[1:]:
        assert answer["error"].startswith("expected ")
        assert answer["error"].endswith("; ask again")
        assert "\n" not in answer["error"]


# --- in a browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/docs.html")
    yield page
    page.close()


READ = """async ([files, sizes]) => {
  const { Enlarger } = await import("/engine/enlarger.js");
  const enlarger = new Enlarger();
  const blob = (text) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);
  const text = (plane) => plane && btoa(Array.from(plane, (v) => String.fromCharCode(v)).join(""));
  const found = await Promise.all(files.map((file, i) => enlarger.read(blob(file), sizes[i])));
  enlarger.close();
  return found.map((one) => one && { ...one, luma: text(one.luma), alpha: text(one.alpha) });
}"""


def test_a_browser_reads_luma_as_python_does(page):
    color = Image.fromarray(data.coffee()[:200, :301])
    gray = color.convert("L")
    turned = Image.Exif()
    turned[0x0112] = 6
    clear = gray.convert("LA")
    clear.putalpha(Image.linear_gradient("L").resize(gray.size))
    size, upright = {"width": 301, "height": 200}, {"width": 200, "height": 301}
    files = [
        (encoded(gray, "JPEG"), size), (encoded(gray, "PNG"), None), (encoded(color, "PNG"), size),
        (encoded(gray, "JPEG", exif=turned), upright), (encoded(color, "JPEG"), size),
        (encoded(clear, "PNG"), size), (b"GIF89a, not quite", None),
        (encoded(gray, "PNG"), upright),
    ]  # fmt: skip
    found = page.evaluate(READ, [[b64(file) for file, _ in files], [size for _, size in files]])
    assert found[6:] == [None, None]
    apart = []
    for one, (file, _) in zip(found[:6], files, strict=False):
        photo = read(file)
        assert (one["width"], one["height"]) == photo.size
        apart.append(np.abs(unpack(one["luma"], photo.luma) - photo.luma))
    assert [error.max() for error in apart[:4]] == [0, 0, 0, 0]
    assert (apart[4] <= 1).mean() > 0.999
    assert (apart[5] <= 1)[photo.alpha > 128].all()  # browsers keep colors times alpha
    assert [one["alpha"] is None for one in found[:6]] == [True] * 5 + [False]
    assert (unpack(found[5]["alpha"], photo.alpha) == photo.alpha).all()


def unpack(text: str, like: np.ndarray) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(like.shape).astype(int)


ENLARGE = """async ({ plane, width, height, planes }) => {
  const { Enlarger } = await import("/engine/enlarger.js");
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const all = [];
  const Whole = Worker;
  const Lost = class { constructor(_, how) { return new Whole("/lost.js", how); } };
  for (const kind of [Whole, null, Lost]) {
    globalThis.Worker = kind;
    const enlarger = new Enlarger();
    const refused = await enlarger.enlarge(bytes(planes).buffer).catch((error) => error.message);
    enlarger.open({ luma: bytes(plane), width, height });
    enlarger.prepare(48, 64);
    const asked = [0, 1, 2].map(() => enlarger.enlarge(bytes(planes).buffer));
    const [first, second, third] = await Promise.all(asked);
    const rg = btoa(Array.from(third.rg, (v) => String.fromCharCode(v)).join(""));
    const old = [enlarger.enlarge(bytes(planes).buffer), enlarger.enlarge(bytes(planes).buffer)];
    await enlarger.open({ luma: bytes(plane), width, height });
    all.push({
      refused, first: first?.width, second, rg, width: third.width, height: third.height,
      old: await old[1], broken: await enlarger.enlarge(new ArrayBuffer(9)).catch((e) => e.message),
    });
    enlarger.close();
  }
  return all;
}"""


def test_a_worker_and_a_page_enlarge_alike_and_skip_what_is_stale(page, run):
    rgb = np.ascontiguousarray(data.coffee()[150:250, 200:350])
    luma, planes = luma_of(rgb), pack_planes(result_of(rgb, (48, 64), (pins(),)))
    height, width = luma.shape
    case = {"plane": b64(luma.tobytes()), "width": width, "height": height, "planes": b64(planes)}
    apart, here, lost = page.evaluate(ENLARGE, case)
    assert apart == here == lost
    assert apart.pop("refused") == "expected a photo, found none; open one"
    assert apart.pop("broken").startswith("expected safetensors, found ")
    assert (apart.pop("first"), apart.pop("second"), apart.pop("old")) == (150, None, None)
    assert [apart] == run((luma, planes))
