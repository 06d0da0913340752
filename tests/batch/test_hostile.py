"""What no photo is, whoever left it there: pipes, devices, odd manifests, readers that end."""

import json
import os
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from command import TINTYPE, tintype
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import color, draw, lines

from tintype.errors import FolderError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@pytest.mark.parametrize("workers", [1, 2])
def test_pipes_and_devices_in_a_folder_are_skipped_by_name(scans: Path, workers: int) -> None:
    os.mkfifo(scans / "pipe.jpg")
    (scans / "zero.png").symlink_to("/dev/zero")
    (scans / "link.jpg").symlink_to("pipe.jpg")
    options = ("-o", "out", "--recursive", "--workers", workers)
    done = tintype("colorize", "scans", *options, cwd=scans.parent)
    said = done.stderr.decode()
    for name in ("pipe.jpg", "zero.png", "link.jpg"):
        assert f"scans/{name}: skipped, as it is a pipe or a device" in said
    assert "3 colored into out" in said


def test_pipes_and_devices_in_a_list_are_refused(scans: Path) -> None:
    os.mkfifo(scans / "pipe.jpg")
    done = tintype("colorize", "pipe.jpg", "/dev/zero", "a.jpg", "-o", "o", cwd=scans, status=1)
    assert done.stderr.count(b"found a pipe or a device") == 2
    assert (scans / "o" / "a.color.jpg").exists()


def test_devices_in_a_tar_file_are_named(scans: Path, tmp_path: Path) -> None:
    os.mkfifo(scans / "pipe.jpg")
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.add(scans / "pipe.jpg", "pipe.jpg")
        tar.add(scans / "a.jpg", "a.jpg")
    calls, (failure,) = color(tmp_path / "t.tar", tmp_path / "out")
    assert calls == 1
    assert "as links or devices (pipe.jpg)" in failure


def test_a_reader_that_ends_early_is_one_line(folder: Path) -> None:
    command = [TINTYPE, "colorize", "coffee.png", "-o", "-"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        said = run.stderr.read().decode()
    assert run.returncode == 1
    assert len(said.splitlines()) == 1
    assert "expected a reader of standard output" in said
    assert "report" not in said


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 6), value=JSON, field=st.integers(0, 20))
def test_a_manifest_of_wrong_types_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, which: int, value: object, field: int
) -> None:
    home = tmp_path_factory.mktemp("odd")
    for number in range(3):
        draw(home / "scans" / f"{number}.png", number)
    color(home / "scans", home / "out")
    every = lines(home / "out")
    line = every[which % len(every)]
    line[list(line)[field % len(line)]] = value
    text = "".join(json.dumps(one) + "\n" for one in every)
    (home / "out" / "manifest.jsonl").write_text(text)
    said = ""
    try:
        color(home / "scans", home / "out")
    except FolderError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1


@pytest.mark.parametrize("files", ["[5]", '["\\u0000"]', '"text"', '["\\ud800"]', "[" * 5000])
def test_files_of_a_manifest_are_paths(scans: Path, tmp_path: Path, files: str) -> None:
    color(scans, tmp_path / "out")
    with (tmp_path / "out" / "manifest.jsonl").open("a") as file:
        file.write(f'{{"status": "begun", "input": "a.jpg", "files": {files}}}\n')
    with pytest.raises(FolderError, match="expected a line of a manifest on line"):
        color(scans, tmp_path / "out")


def test_what_a_killed_process_left_beside_a_result_is_removed(scans: Path) -> None:
    """By the next one that writes there; not what is being written, nor what others call so."""
    left = scans / ".tintype-0123456789abcdef.part"
    left.write_bytes(b"half")
    os.utime(left, (time.time() - 60,) * 2)
    (scans / ".tintype-other").write_text("another's")
    (scans / ".tintype-link.part").symlink_to("b.png")
    tintype("colorize", "a.jpg", cwd=scans)
    names = {path.name for path in scans.iterdir()}
    assert names >= {".tintype-other", ".tintype-link.part", "a.color.jpg"}
    assert left.name not in names
