"""The editor's own engine, run by Node.js, and the same made by Python."""

import functools
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pages import ROOT
from PIL import Image
from skimage import data

import tintype
from server.editor.conftest import browser  # noqa: F401
from tintype.palette import Palette
from tintype.server import shared

sys.path.insert(0, str(ROOT / "tools"))
from make_site import make_site
from static_host import serve

HERE = Path(__file__).parent
ENGINE = Path(shared.__file__).parent / "static" / "engine" / "local"


@pytest.fixture(scope="session")
def about():
    """What the engine shares with Python, as a browser gets it."""
    return json.loads(json.dumps(shared.describe(load().model)))


@pytest.fixture(scope="session")
def ask(about):
    """Send tasks [kind, task] to the engine, all at once, and get its answers."""

    def send(tasks):
        text = json.dumps({"shared": about, "tasks": tasks})
        command = ["node", HERE / "answer.js", ENGINE]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return send


load = functools.cache(tintype.load)  # once, as it costs a third of a second


@pytest.fixture(scope="package")
def site(tmp_path_factory):
    """The site's folder, `sub` in another."""
    folder = tmp_path_factory.mktemp("site") / "sub"
    make_site(folder)
    return folder


@pytest.fixture(scope="session")
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


def watch(context):
    """A page, with what it complains of and whom it asks."""
    context.route("**/favicon.ico", lambda route: route.fulfill(body=""))  # a text has none
    page = context.new_page()
    page.problems, page.hosts = [], set()
    page.on("console", lambda one: one.type == "error" and page.problems.append(one.text))
    page.on("pageerror", lambda one: page.problems.append(str(one)))
    page.on("request", lambda one: page.hosts.add(one.url.removeprefix("blob:")))
    return page


def pack(palette):
    """A palette as `answer.js` reads and writes it."""
    tones = None if palette.tones is None else palette.tones.tolist()
    shares, banned = palette.shares.tolist(), list(palette.banned)
    return {"shares": shares, "banned": banned, "tones": tones, "bansGray": palette.bans_gray}


class Maker:
    """Random palettes, edits and recipes, the same in every run."""

    WORDS = (
        "red",
        "teal",
        "Navy",
        "gold",
        "#abc",
        "#c08040ff",
        "gray",
        "white",
        "hsl(200,40%,50%)",
    )

    def __init__(self, bins, seed=19):
        self.bins, self.random = bins, np.random.default_rng(seed)

    def color(self):
        kind = self.random.integers(4)
        if kind == 0:
            return f"hue:{self.random.uniform(-90, 450):.2f}"
        if kind == 1:
            return str(self.random.choice(self.WORDS))
        return "#" + self.random.integers(0, 256, 3).astype(np.uint8).tobytes().hex()

    def shares(self):
        rough = self.random.gamma(0.15, 1, self.bins.count)
        empty = self.random.random() ** 0.5  # mostly sparse
        rough[self.random.random(self.bins.count) < empty] = 0
        rough[0] += 0.01
        return rough

    def palette(self):
        tones = None
        if self.random.random() < 0.6:
            tones = np.stack([self.shares() for _ in range(3)])
            tones[self.random.integers(3)] *= self.random.random() < 0.8
        banned = tuple(self.random.uniform(0, 360, self.random.integers(3)) * self.flip())
        return Palette(self.bins, self.shares(), banned, tones, self.random.random() < 0.15)

    def flip(self):
        return self.random.random() < 0.5

    def edit(self):
        amount = float(self.random.random())
        change = {"from": self.color(), "to": self.color(), "scale": 2 * amount}
        changes = [change, *({**change, "from": self.color()} for _ in range(self.flip()))]
        kinds = [
            {"towards": self.color(), "amount": amount},
            {"shift_hue": float(self.random.uniform(-400, 400))},
            {"saturation": 3 * amount},
            {"recolor": changes},
            {"boost": self.color(), "share": amount},
            {"ban": self.color()},
            {"at": [amount, "12px"], "color": self.color()},
        ]
        return kinds[self.random.integers(len(kinds))]

    def edits(self, most=4):
        return [self.edit() for _ in range(self.random.integers(1, most + 1))]


@pytest.fixture
def make():
    return Maker(load().bins)


@pytest.fixture(scope="module")
def page(browser, site):  # noqa: F811
    """A page of the site's policy without the editor, in which a test's engine is the only one."""
    context = browser.new_context()
    page = watch(context)
    with serve(site.parent) as address:
        page.goto(f"{address}/sub/licenses.txt")
        yield page
    context.close()
    assert page.problems == []
