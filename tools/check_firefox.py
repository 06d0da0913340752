"""Whether the site works in Firefox: it colors, is edited, and saves, without a network.

    python tools/check_firefox.py                    Debian's, `apt-get install firefox-esr`
    python tools/check_firefox.py --firefox PATH     another
    python tools/check_firefox.py --pictures FOLDER  keeps what it looked like

What it saves is compared with what Python makes of the recipe in the saved file.
"""

import argparse
import io
import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from make_site import make_site
from marionette import Firefox, start
from PIL import Image
from static_host import serve

import tintype
from tintype.metadata import find_recipe
from tintype.metadata.xmp import Packet

PHOTO = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
RIGHT = "\ue014"  # the key, in WebDriver's words
READY = """(await navigator.serviceWorker.ready)
    && (await (await caches.open("tintype-models")).keys()).length === 2"""
COLORED = "performance.getEntriesByName('edit').length > %d"
PINNED = "!document.querySelector('.popover .last').inert"
SEEN = "document.querySelector('photo-viewer:not([aria-busy=true])')"


def make_photo() -> bytes:
    """A gray photo that is upright by its EXIF alone, of a city by its XMP."""
    packet = Packet()
    packet.set(PHOTOSHOP, "photoshop", "City", "北京")
    gray = Image.open(PHOTO).convert("L")
    exif = gray.getexif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    file = io.BytesIO()
    gray.rotate(90, expand=True).save(file, "JPEG", quality=95, exif=exif, xmp=packet.encode())
    return file.getvalue()


def color(firefox: Firefox, address: str, path: Path) -> None:
    """Open the page, for good, and a photo in it; turn its colors stronger, and set a pin."""
    firefox.ask("Navigate", url=address)
    expect(firefox.run("async () => crossOriginIsolated"), True, "an isolated page")
    firefox.type("#files", str(path))
    firefox.wait(COLORED % 0, "colors")
    firefox.type("#strength", RIGHT * 4)
    firefox.click("photo-viewer")
    firefox.click(".likely button:enabled")
    firefox.wait(PINNED, "a pin that can be moved")
    firefox.wait(SEEN, "colors at rest")


def save(firefox: Firefox, path: Path, format: str) -> Image.Image:
    """What the page saves, in a format."""
    firefox.run(
        """async (format) => {
        const field = document.querySelector("#format");
        field.value = format;
        field.dispatchEvent(new Event("change"));
    }""",
        format,
    )
    firefox.click("#save")
    end = time.monotonic() + 60
    while not path.exists() or not path.stat().st_size or path.with_suffix(".part").exists():
        if time.monotonic() > end:
            said = firefox.run("async () => document.querySelector('#message').textContent")
            raise SystemExit(f"expected {path.name}, found none; the page says {said!r}")
        time.sleep(0.2)
    with Image.open(path) as picture:
        expect(picture.format, format, "the format")
        picture.load()
        return picture


def expect(found: object, right: object, what: str) -> None:
    if found != right:
        raise SystemExit(f"expected {what}: {right}, found {found}")


def compare(picture: Image.Image, photo: bytes) -> None:
    """Compare a saved PNG with Python's of the same recipe."""
    recipe = find_recipe([picture.info["xmp"]])
    edits = [next(iter(one)) for one in json.loads(recipe or "{}")["edits"]]
    encoded = tintype.load().encode(photo)
    right = tintype.load().decode(encoded, tintype.Recipe.from_json(recipe)).image
    away = np.abs(np.asarray(picture).astype(int) - np.asarray(right)).max(-1)
    luma = np.abs(np.asarray(picture.convert("L")).astype(int) - encoded.photo.luma)
    shares = (
        f"{np.mean(away <= 2):.2%} within 2 of 255 levels, luma {np.mean(luma <= 1):.2%} within 1"
    )
    print(f"edits {', '.join(edits)}, beside the command's: {shares}")
    if np.mean(away <= 2) < 0.995 or np.mean(luma <= 1) < 0.999 or len(edits) < 2:
        raise SystemExit("expected 99.5 % and 99.9 % after two edits")


def check(firefox: Firefox, folder: Path, pictures: Path | None) -> None:
    photo = make_photo()
    path = folder / "old.jpg"
    path.write_bytes(photo)
    with serve(folder) as address:
        firefox.ask("Navigate", url=f"{address}/site/")
        firefox.wait(READY, "the model kept")
    color(firefox, f"{address}/site/", path)  # whose host is gone now
    if pictures:
        firefox.take_picture(pictures / "firefox.png")
    compare(save(firefox, folder / "old.color.png", "PNG"), photo)
    for format, name in (("JPEG", "old.color.jpg"), ("WEBP", "old.color.webp")):
        picture = save(firefox, folder / name, format)
        expect(picture.size, tintype.photo.read(photo).size, f"the size of {format}")
        if format == "JPEG":
            expect(dict(picture.getexif()), {0x010F: "Maker", 0x0112: 1}, "EXIF, upright")
            expect(Packet(picture.info["xmp"]).get(PHOTOSHOP, "City"), "北京", "XMP")
    errors = [line for line in firefox.log.read_text().splitlines() if "error: http" in line]
    expect(errors, [], "no error of a script")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--firefox", default=shutil.which("firefox-esr") or shutil.which("firefox"))
    parser.add_argument("--pictures", type=Path, help="a folder")
    asked = parser.parse_args()
    if not asked.firefox:
        raise SystemExit("expected Firefox, found none; run 'apt-get install firefox-esr'")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_site(folder / "site")
        with start(asked.firefox, folder) as firefox:
            check(firefox, folder, asked.pictures)
            print(f"Firefox {firefox.version}: colors, follows edits, saves, without a network")


if __name__ == "__main__":
    main()
