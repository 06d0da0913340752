"""What <photo-viewer> shows, pixel by pixel, and how a hand moves it; no server is needed."""

import base64
import io
import mimetypes
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tintype.server
from tintype.upsample import fit_gamut

STATIC = Path(tintype.server.__file__).parent / "static"
ADDRESS = "http://viewer.test/"
BLANK = """<!doctype html><link rel="stylesheet" href="/editor.css">
<style>.divider { display: none }</style>
<body style="margin: 0; background: #404040"><canvas></canvas>
<div style="position: relative; width: 424px; height: 324px"><photo-viewer></photo-viewer></div>"""
SETUP = """async () => {
    const { createPainter } = await import('/view/painter.js');
    const { Painter2D } = await import('/view/painter2d.js');
    await import('/view/viewer.js');
    window.bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    window.viewer = document.querySelector('photo-viewer');
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    Object.assign(window, { createPainter, Painter2D, wait, frame });
    window.open2 = (kind, { luma, width, height, chroma, wide, high, alpha }, restored) => {
        window.canvas = document.createElement('canvas');
        const painter = kind === 'gl'
            ? createPainter(canvas, restored, true) : new Painter2D(canvas);
        painter.setLuma(bytes(luma), width, height, alpha && bytes(alpha));
        if (chroma) painter.setChroma(bytes(chroma), wide, high);
        return painter;
    };
}"""


def give(route):
    """A file of the editor's, as its server would."""
    name = route.request.url.removeprefix(ADDRESS)
    if not name:
        return route.fulfill(body=BLANK, content_type="text/html")
    return route.fulfill(
        body=(STATIC / name).read_bytes(), content_type=mimetypes.guess_type(name)[0]
    )


@pytest.fixture(scope="module")
def view(browser):
    """A page with a viewer of 400 x 300 pixels besides its margin."""
    context = browser.new_context(viewport={"width": 640, "height": 520})
    context.route(f"{ADDRESS}**", give)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(ADDRESS)
    page.evaluate(SETUP)
    yield page
    context.close()
    assert complaints == []


def text(array) -> str:
    return base64.b64encode(np.ascontiguousarray(array, np.uint8)).decode()


def photo_of(luma, chroma=None, alpha=None) -> dict:
    """What `open2` takes; chroma: (h, w, 2) uint8, Cb and Cr centered on 128."""
    photo = {"luma": text(luma), "height": luma.shape[0], "width": luma.shape[1]}
    if chroma is not None:
        photo |= {"chroma": text(chroma), "high": chroma.shape[0], "wide": chroma.shape[1]}
    return photo | ({} if alpha is None else {"alpha": text(alpha)})


def decode(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


def paint(page, kind, photo, views) -> list[np.ndarray]:
    """Each (height, width, 4) uint8."""
    addresses = page.evaluate(
        """([kind, photo, views]) => {
            const painter = open2(kind, photo);
            return views.map((view) => (painter.paint(view), canvas.toDataURL()));
        }""",
        [kind, photo, views],
    )
    return [decode(address) for address in addresses]


def shoot(page) -> np.ndarray:
    """(324, 424, 3): the stage as the screen has it, once all rests."""
    page.evaluate("wait(250)")
    box = page.locator("photo-viewer").bounding_box()
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")).astype(int)


def color(luma, chroma) -> np.ndarray:
    """(h, w, 3) float: bilinear chroma by Pillow, gamut and JPEG's matrix by NumPy."""
    size = luma.shape[::-1]
    planes = (Image.fromarray(chroma[..., k].astype(np.float32) - 128) for k in range(2))
    wide = (np.asarray(plane.resize(size, Image.Resampling.BILINEAR)) for plane in planes)
    cb, cr = fit_gamut(luma, *wide)
    y = luma.astype(np.float32)
    return np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], -1)


def far(one, other) -> float:
    """The largest difference, of 255."""
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).max())


def noise(shape, seed=0, low=0, high=256) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.uint8)


def test_painters_show_colors_as_upsample_computes_them(view):
    luma, chroma = noise((96, 140)), noise((12, 18, 2), seed=1, low=60, high=200)
    there = {"scale": 1, "x": 5, "y": -3, "split": 0.25, "width": 150, "height": 100}
    wanted = color(luma, chroma)
    wanted[:, :35] = luma[:, :35, None]
    views = [there, {**there, "scale": 3, "x": -60, "y": -30, "split": 0}]
    shown = {kind: paint(view, kind, photo_of(luma, chroma), views) for kind in ("gl", "2d")}
    for picture, zoomed in shown.values():
        assert far(picture[:93, 5:145, :3], wanted[3:]) <= 2
        assert not picture[93:].any()
        assert not picture[:, 145:].any()
        squares = np.repeat(np.repeat(color(luma, chroma), 3, 0), 3, 1)
        assert far(zoomed[..., :3], squares[30:130, 60:210]) <= 2
    assert all(far(one, other) <= 2 for one, other in zip(*shown.values(), strict=True))
    quick = {**there, "split": 0, "quick": True}
    (rough,) = paint(view, "2d", photo_of(luma, chroma), [quick])
    assert np.abs(rough[:93, 5:145, :3] - color(luma, chroma)[3:]).mean() < 4


def test_tiles_have_no_seams(view):
    ramp = np.tile(np.linspace(0, 255, 4100).round(), (32, 1))
    there = {"scale": 1, "x": -1966, "y": 0, "split": 0, "width": 100, "height": 32}
    small = {**there, "scale": 0.25, "x": 0, "width": 1025, "height": 8}
    pixels, shrunk = paint(view, "gl", photo_of(ramp), [there, small])
    assert far(pixels[..., 0], ramp[:, 1966:2066]) == 0
    assert far(shrunk[..., 0], ramp[::4].reshape(8, 1025, 4).mean(-1)) <= 1
    grain = photo_of(noise((2100, 300), low=64, high=192))
    tiny = {**there, "scale": 0.2, "x": 0, "y": -360, "width": 60, "height": 60}
    assert far(*(paint(view, kind, grain, [tiny])[0] for kind in ("gl", "2d"))) <= 2


def test_transparent_photos_let_the_stage_through(view):
    luma, alpha = noise((40, 60)), np.full((40, 60), 255)
    alpha[:, :30] = 0
    there = {"scale": 1, "x": 0, "y": 0, "split": 0, "width": 60, "height": 40}
    for kind in ("gl", "2d"):
        (picture,) = paint(view, kind, photo_of(luma, alpha=alpha), [there])
        assert far(picture[..., 3], alpha) == 0
        assert far(picture[:, 30:, 0], luma[:, 30:]) == 0


def test_a_lost_graphics_card_comes_back(view):
    photo = photo_of(noise((40, 60)), noise((10, 15, 2), seed=1))
    before, lost, after = view.evaluate(
        """async (photo) => {
            const view = {scale: 1, x: 0, y: 0, split: 0, width: 60, height: 40};
            let painter;
            const back = new Promise((resolve) => { painter = open2('gl', photo, resolve); });
            const show = () => (painter.paint(view), canvas.toDataURL());
            const before = show();
            const card = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');
            card.loseContext();
            await wait(20);
            const lost = show();
            card.restoreContext();
            await back;
            return [before, lost, show()];
        }""",
        photo,
    )
    assert not decode(lost).any()
    assert far(decode(before), decode(after)) == 0


def test_a_photo_is_sharp_at_once_and_colored_slowly(view):
    luma, chroma = noise((600, 800)), np.full((6, 8, 2), (100, 170))
    redness = """async (photo) => {
        viewer.open({luma: bytes(photo.luma), width: photo.width, height: photo.height});
        await wait(200);
        viewer.showChroma({rg: bytes(photo.chroma), width: photo.wide, height: photo.high});
        const steps = [];
        for (const start = performance.now(); performance.now() < start + 400; await frame()) {
            const canvas = viewer.querySelector('.photo');
            const [r, , b] = canvas.getContext('2d').getImageData(212, 162, 1, 1).data;
            steps.push(r - b);
        }
        return steps;
    }"""
    flat = photo_of(np.full((600, 800), 120), chroma)
    steps = view.evaluate(redness, flat)
    assert steps == sorted(steps)
    assert steps[0] < 0.2 * steps[-1]
    assert any(0.2 * steps[-1] < step < 0.8 * steps[-1] for step in steps)
    view.emulate_media(reduced_motion="reduce")
    assert {0, steps[-1]} >= set(view.evaluate(redness, flat))

    view.evaluate(
        "photo => viewer.open({luma: bytes(photo.luma), width: 800, height: 600})", photo_of(luma)
    )
    view.evaluate("viewer.zoomToPixels()")
    assert far(shoot(view)[..., 0], luma[138:462, 188:612]) == 0
    view.evaluate("p => viewer.showChroma({rg: bytes(p.chroma), width: 8, height: 6})", flat)
    assert far(shoot(view), color(luma, chroma)[138:462, 188:612]) <= 2
    view.keyboard.down(" ")
    assert far(shoot(view)[..., 2], luma[138:462, 188:612]) == 0
    view.keyboard.up(" ")
    assert far(shoot(view), color(luma, chroma)[138:462, 188:612]) <= 2
    read = view.evaluate("(({width, height, data}) => [width, height, [...data]])(viewer.read())")
    means = luma.reshape(6, 100, 8, 100).mean((1, 3)).round().astype(np.uint8)
    assert read[:2] == [8, 6]
    assert far(np.reshape(read[2], (6, 8, 4))[..., :3], color(means, chroma)) <= 1


def test_hand_and_keys_move_the_photo(view):
    view.evaluate("photo => viewer.open({luma: bytes(photo.luma), width: 800, height: 600})",
                  photo_of(np.full((600, 800), 200)))  # fmt: skip
    view.evaluate("""() => {
        Object.assign(window, {layouts: 0, picks: []});
        viewer.addEventListener('layout', () => (window.layouts += 1));
        viewer.addEventListener('pick', ({ detail }) => picks.push(detail.place));
    }""")
    box = view.locator("photo-viewer").bounding_box()
    where = "([x, y]) => (({x, y}) => [x, y])(viewer.screenOf({x, y}))"
    assert view.evaluate(where, [0, 0]) == [12, 12]
    assert view.evaluate(where, [1, 1]) == [412, 312]
    canvas = view.locator("photo-viewer .photo")
    canvas.click(position={"x": 112, "y": 237})
    assert view.evaluate("picks") == [{"x": 0.25, "y": 0.75}]
    canvas.dblclick(position={"x": 112, "y": 237})
    assert view.evaluate("viewer.view.zoom") == 2
    np.testing.assert_allclose(view.evaluate(where, [0.25, 0.75]), [112, 237], atol=1)
    view.mouse.move(box["x"] + 200, box["y"] + 150)
    view.mouse.down()
    view.mouse.move(box["x"] + 230, box["y"] + 140, steps=3)
    view.mouse.up()
    np.testing.assert_allclose(view.evaluate(where, [0.25, 0.75]), [142, 227], atol=1)
    assert len(view.evaluate("picks")) == 3
    view.mouse.wheel(0, -400)
    np.testing.assert_allclose(view.evaluate("viewer.view.zoom"), 2 * np.e, rtol=1e-3)
    for key, change in (("ArrowLeft", [60, 0]), ("ArrowDown", [0, -60])):
        before = view.evaluate(where, [0.5, 0.5])
        canvas.press(key)
        assert np.subtract(view.evaluate(where, [0.5, 0.5]), before).tolist() == change
    assert view.evaluate("window.layouts") > 5
    view.evaluate("viewer.zoomTo(1)")
    assert view.evaluate("viewer.view") == {"x": 0, "y": 0, "zoom": 1, "split": 0}


def test_a_part_is_outlined_under_a_veil(view):
    view.evaluate("photo => viewer.open({luma: bytes(photo.luma), width: 400, height: 300})",
                  photo_of(np.full((300, 400), 200)))  # fmt: skip
    mask = np.zeros((30, 40))
    mask[10:20, 10:30] = 255
    view.evaluate("mask => viewer.outline(bytes(mask), 40, 30)", text(mask))
    shown = shoot(view)[12:312, 12:412]
    assert far(shown[110:190, 110:290], 200) == 0
    assert far(shown[:80], [79, 78, 77]) <= 2
    line = shown[98:102, 150:250].max((0, 2))
    assert (line > 180).all()  # where the veil alone would leave 140
    assert far(shown[96, 150:250], shown[96, 150]) == 0
    view.evaluate("viewer.outline(null)")
    assert far(shoot(view)[12:312, 12:412], 200) == 0
