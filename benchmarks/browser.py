"""How soon the site colors, without a server of ours, and how fast it follows the hand.

    python benchmarks/browser.py           a photo of twelve megapixels, cold and warm, and edits
    python benchmarks/browser.py --edits 9 so many edits

The site is served from this machine, so that a download costs nothing but its bytes, which are
counted. A page is ready when its model is; first color is counted from the photo's choice.
"""

import argparse
import gzip
import io
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from editor import drag
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from skimage import data

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from make_site import make_site
from static_host import serve

SIZE = (4000, 3000)
MEDIAN, FIRST, MEGABYTES = 60.0, 3.0, 40.0  # to reach: milliseconds, seconds, of the download


def make_photo() -> bytes:
    """A gray JPEG of scikit-image's coffee, of twelve megapixels."""
    file = io.BytesIO()
    Image.fromarray(data.coffee()).convert("L").resize(SIZE).save(file, "JPEG", quality=92)
    return file.getvalue()


def wait_for_color(page: Page, before: int = 0) -> None:
    """Wait until a page has shown more edits than before."""
    end = time.perf_counter() + 120
    while page.evaluate("performance.getEntriesByName('edit').length") <= before:
        if time.perf_counter() > end:
            raise SystemExit("expected colors within two minutes, found none")
        page.wait_for_timeout(10)


def measure(address: str, photo: bytes, count: int, profile: Path) -> None:
    """Print how long a cold page takes, warm ones, a page that is ready, and its edits.

    The browser keeps what it compiled of ONNX Runtime from the second visit on, the first isolated.
    """
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        context = playwright.chromium.launch_persistent_context(  # others keep no compiled code
            profile, executable_path=shutil.which("chromium"), args=options,
            viewport={"width": 1366, "height": 800},
        )  # fmt: skip
        upload = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo}
        page = context.pages[0]
        began = time.perf_counter()
        page.goto(address)
        page.set_input_files("#files", upload)
        wait_for_color(page)
        print(f"cold page to first color: {time.perf_counter() - began:.2f} s")
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        page.wait_for_timeout(2000)
        for visit in ("second, which compiles", "third"):
            began = time.perf_counter()
            page.reload()
            wait_for_color(page)
            taken = time.perf_counter() - began
            print(f"warm page to the colors of the photo it had: {taken:.2f} s ({visit})")
            page.wait_for_timeout(3000)
        page.click("#close")
        before = page.evaluate("performance.getEntriesByName('edit').length")
        began = time.perf_counter()
        page.set_input_files("#files", upload)
        wait_for_color(page, before)
        taken = time.perf_counter() - began
        print(f"photo chosen on a page that is ready to color: {taken:.2f} s; {FIRST:g} to reach")
        page.wait_for_timeout(3000)
        for words, pause in (("a hand that moves", 100), ("after a rest", 400)):
            rows = drag(page, count, pause)
            print(f"{len(rows)} edits, {words} (median, 95th percentile):")
            for part in ("total", "decode", "enlarge", "paint"):
                values = [row[part] for row in rows]
                print(f"  {part:8} {np.median(values):6.1f} {np.percentile(values, 95):6.1f} ms")
        threads = page.evaluate("navigator.hardwareConcurrency")
        print(f"To reach: {MEDIAN:g} ms on two processors; here are {threads}.")
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=40, help="so many edits")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "site"
        make_site(folder)
        content = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        size, packed = sum(map(len, content)), sum(len(gzip.compress(one, 6)) for one in content)
        print(f"site: {size / 1e6:.1f} MB, {packed / 1e6:.1f} compressed; {MEGABYTES:g} at most")
        with serve(folder) as address:
            print(f"load average: {os.getloadavg()[0]:.1f}")
            measure(address, make_photo(), asked.edits, Path(name) / "profile")


if __name__ == "__main__":
    main()
