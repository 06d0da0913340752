"""What a user installs: the base package in an environment of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT
from PIL import Image
from skimage import data


def pip(python: Path) -> list[str | Path]:
    """This environment's pip for another, which needs none of its own."""
    return [sys.executable, "-m", "pip", "--python", python]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with `pip install .` in it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([*pip(python), "install", "--quiet", "--no-compile", ROOT], check=True)
    return python


def test_the_base_has_no_torch_and_is_small(python: Path) -> None:
    names = subprocess.run(
        [*pip(python), "list", "--format=freeze"], check=True, capture_output=True, text=True
    ).stdout.lower()
    assert "tintype==" in names
    assert "torch" not in names
    packages = next(python.parents[1].glob("lib/python*/site-packages"))
    ours = [f for f in packages.rglob("*") if f.is_file() and f.parts[len(packages.parts)] != "pip"]
    size = sum(file.stat().st_size for file in ours)
    assert size < 225e6  # 250 MB less what the bytecode would take


def test_it_colors_a_photo(python: Path, tmp_path: Path) -> None:
    Image.fromarray(data.camera()).save(tmp_path / "photo.jpg")
    tintype = python.with_name("tintype")
    subprocess.run([tintype, "colorize", "photo.jpg"], cwd=tmp_path, check=True)
    assert (tmp_path / "photo.color.jpg").exists()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("train", ["train", "--data", "x", "-o", "y", "--steps", "1"]),
        ("ray", ["colorize", "x", "-o", "y", "--ray"]),
    ],
)
def test_commands_say_which_extra_they_need(
    python: Path, tmp_path: Path, name: str, arguments: list[str]
) -> None:
    done = subprocess.run(
        [python.with_name("tintype"), *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"tintype: expected the extra [{name}]")
    assert f"pip install 'tintype[{name}]'" in done.stderr
