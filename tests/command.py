"""The installed program, run in a process as a person or a script runs it."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

TINTYPE = Path(sys.executable).with_name("tintype")


def tintype(
    *arguments: object, cwd: Path, input: bytes | None = None, status: int = 0
) -> subprocess.CompletedProcess[bytes]:
    """Run it in a folder, and expect an exit status and no traceback."""
    done = subprocess.run(
        [TINTYPE, *map(str, arguments)], cwd=cwd, input=input, capture_output=True, check=False
    )
    assert done.returncode == status, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done


def opened(path: Path) -> Image.Image:
    """An image with its pixels, the file closed."""
    with Image.open(path) as image:
        image.load()
        return image
