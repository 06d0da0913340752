"""How fast the editor follows the hand: an edit in a real browser, with its parts, and a soak.

    python benchmarks/editor.py            both
    python benchmarks/editor.py --edits 50 the browser's edits alone, so many
    python benchmarks/editor.py --busy     the same beside a process that keeps one core busy

An edit lasts from the input event to the frame that shows it, of a photo of three megapixels. The
reference beside it is a picture of the stage's size, decoded from JPEG and encoded again by Pillow.
"""

import argparse
import io
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from skimage import data

SIDE, STAGE = 2160, 768  # longest sides of the photo and of the reference, pixels
MEDIAN, TAIL, FRAMES = 25.0, 45.0, 30.0  # to reach: milliseconds, of 95 %, frames a second
CLIENTS, PHOTOS, EDITS, ROUNDS = 8, 20, 500, 4


@contextmanager
def serving(*words: str) -> Iterator[tuple[str, psutil.Process]]:
    """The real command, `serve` by default; its address and its process."""
    command = [Path(sys.executable).with_name("tintype"), *(words or ["serve"])]
    command += ["--no-browser", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0], psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def photo(seed: int, side: int = 1200) -> bytes:
    """A gray JPEG of scikit-image's coffee, its luma shifted by the seed."""
    image = Image.fromarray(np.roll(data.coffee(), 7 * seed, axis=1)).convert("L")
    image = image.resize((side, round(side * image.height / image.width)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def reference() -> float:
    """Milliseconds that Pillow takes to decode and encode a color JPEG of a preview's size."""
    buffer = io.BytesIO()
    Image.fromarray(data.coffee()).resize((STAGE, 512)).save(buffer, "JPEG", quality=90)
    times = []
    for _ in range(30):
        began = time.perf_counter()
        image = Image.open(io.BytesIO(buffer.getvalue()))
        image.load()
        image.save(io.BytesIO(), "JPEG", quality=90)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def edits_in_a_browser(address: str, count: int) -> tuple[list[dict[str, float]], float]:
    """Drag a spot of the wheel about: every edit's time in parts, and frames a second in haste."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        page = browser.new_page(viewport={"width": 1366, "height": 800})
        page.goto(address)
        upload = {"name": "coffee.jpg", "mimeType": "image/jpeg", "buffer": photo(0, SIDE)}
        page.set_input_files("#files", upload)
        page.locator("#variants img").nth(4).wait_for()
        page.wait_for_load_state("networkidle")
        rows = drag(page, count, pause=100)
        ends = [row["start"] + row["total"] for row in drag(page, 4 * count, pause=8)]
        browser.close()
    return rows, 1000 * (len(ends) - 1) / (max(ends) - min(ends))


def drag(page: Page, count: int, pause: float) -> list[dict[str, float]]:
    """Move a spot so many times, a pause of milliseconds between them; the edits seen, in parts."""
    page.evaluate("performance.clearMeasures()")
    box = page.locator("#wheel .spot").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(count):
        angle = 2 * np.pi * i / 40
        page.mouse.move(x + 30 * np.cos(angle), y + 30 * np.sin(angle))
        page.wait_for_timeout(pause)
    rows: list[dict[str, float]] = page.evaluate(
        "performance.getEntriesByName('edit')"
        ".map(e => ({start: e.startTime, total: e.duration, ...e.detail}))"
    )
    page.mouse.up()
    page.wait_for_timeout(500)
    return [row for row in rows if not row.pop("done")]


def print_edits(address: str, count: int) -> None:
    rows, frames = edits_in_a_browser(address, count)
    names = {
        "total": "input to new pixels",
        "waiting": "  until it is sent",
        "transfer": "  to and fro",
        "decode": "  palette to chroma",
        "measure": "  what came out",
        "encode": "  planes to a file",
        "enlarge": "  along luma's edges",
        "paint": "  paint",
    }
    print(f"An edit at {SIDE} px, {len(rows)} of them, milliseconds (median, 95th percentile):")
    for name, words in names.items():
        values = [row[name] for row in rows]
        print(f"{words:24} {np.median(values):6.1f} {np.percentile(values, 95):6.1f}")
    total, unit = float(np.median([row["total"] for row in rows])), reference()
    print(f"{total / unit:.1f} times Pillow's decode + encode of the picture ({unit:.1f} ms);")
    print(f"{frames:.0f} frames a second while a spot is dragged.")
    print(f"To reach: {MEDIAN:g} and {TAIL:g} ms, {FRAMES:g} frames.\n")


@contextmanager
def keeping_busy(wanted: bool) -> Iterator[None]:
    """A process beside that does nothing but work."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if wanted else None
    try:
        yield
    finally:
        if process:
            process.kill()
            process.wait()


def post(url: str, body: bytes, kind: str) -> bytes:
    request = urllib.request.Request(url, body, {"content-type": kind})
    with urllib.request.urlopen(request) as answer:
        content: bytes = answer.read()
        return content


def send(address: str, content: bytes) -> str:
    """Upload a photo; its id."""
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="p"\r\n\r\n'
    body = head + content + b"\r\n--x--\r\n"
    answer = json.loads(post(f"{address}v1/photos", body, "multipart/form-data; boundary=x"))
    return str(answer["id"])


def timed_edits(address: str, ids: list[str]) -> list[float]:
    """Milliseconds of every edit, asked for by several clients at once."""

    def edit(i: int) -> float:
        request = {"edits": [{"shift_hue": 7 * i % 360}], "size": "planes", "measure": False}
        url = f"{address}v1/photos/{ids[i % len(ids)]}/render"
        began = time.perf_counter()
        post(url, json.dumps(request).encode(), "application/json")
        return 1000 * (time.perf_counter() - began)

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(edit, range(EDITS)))


def soak(address: str, process: psutil.Process) -> None:
    """500 edits over 20 photos from 8 clients, again and again; memory must come to rest."""
    ids = [send(address, photo(seed)) for seed in range(PHOTOS)]
    memory = [process.memory_info().rss / 2**20]
    for _ in range(ROUNDS):
        p50, p95 = np.percentile(timed_edits(address, ids), [50, 95])
        print(f"{EDITS} edits, {PHOTOS} photos, {CLIENTS} clients: p50 {p50:.0f}, p95 {p95:.0f} ms")
        memory.append(process.memory_info().rss / 2**20)
    print("memory before, and after each round, MiB: " + ", ".join(f"{m:.0f}" for m in memory))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, help="only edits in the browser, so many")
    parser.add_argument("--busy", action="store_true", help="beside a process that works")
    asked = parser.parse_args()
    with serving() as (address, process), keeping_busy(asked.busy):
        print_edits(address, asked.edits or 60)
        if asked.edits is None:
            soak(address, process)


if __name__ == "__main__":
    main()
