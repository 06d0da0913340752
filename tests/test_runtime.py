"""Nothing of ONNX Runtime's telemetry: no device's id in the home folder."""

import os
import subprocess
import sys
from pathlib import Path

COLOR = """
import sys, time
from pathlib import Path
import tintype
tintype.load().colorize(sys.argv[1])
until = time.monotonic() + 3
while time.monotonic() < until and not list(Path(sys.argv[2]).rglob("*")):
    time.sleep(0.05)
"""


def left_at_home(folder: Path, home: Path) -> list[str]:
    """What coloring a photo leaves in an empty home folder within 3 seconds."""
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XDG", "ORT"))}
    words = [sys.executable, "-B", "-c", COLOR, str(folder / "cat.jpg"), str(home)]
    subprocess.run(words, env=environment | {"HOME": str(home)}, check=True)
    return [path.name for path in home.rglob("*") if path.is_file()]


def test_coloring_leaves_nothing_in_the_home_folder(folder: Path, tmp_path: Path) -> None:
    assert left_at_home(folder, tmp_path / "home") == []


def test_a_reference_and_edits_need_no_onnx_runtime() -> None:
    code = (
        "import sys, tintype.cli.options, tintype.recipe, tintype.result, tintype.welsh2002\n"
        "from tintype.bins import OKLAB\n"
        "tintype.edits.check_edits(tintype.Recipe().towards('red').edits, OKLAB)\n"
        "sys.exit('onnxruntime' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
