"""Make the editor's picture in README, with the bundled model and a real browser.

python tools/make_editor_picture.py
"""

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
PHOTO = DOCS.parent / "examples" / "astronaut.jpg"


def main() -> None:
    command = [Path(sys.executable).with_name("tintype"), "serve", "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="dark")
            page.goto(found[0])
            page.set_input_files("#files", str(PHOTO))
            page.locator("#variants img").nth(4).wait_for()
            page.wait_for_load_state("networkidle")
            page.locator("#gray").click()
            page.wait_for_timeout(500)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.save(DOCS / "editor.jpg", quality=88)
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
