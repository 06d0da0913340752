"""A watched folder: what is taken, and when."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command import TINTYPE, opened, tintype
from tiny import ASKED, Quick, draw, files, lines, locate

from tintype.batch.request import OutputOptions
from tintype.batch.watcher import watch_folder


def watch(scans: Path, out: Path, *steps: Callable[[], object]) -> tuple[Quick, list[str]]:
    """Watch a folder; a step is done between two looks, and Ctrl-C comes after the last."""
    left, method, said = list(steps), Quick(), list[str]()

    def wait() -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    where = locate(scans, out)
    watch_folder(method, OutputOptions(), where, ASKED, report=said.append, wait=wait)
    return method, said


def nothing() -> None:
    """Time passes."""


def test_a_photo_is_taken_when_it_has_stopped_growing(tmp_path: Path) -> None:
    scans, out = tmp_path / "scans", tmp_path / "out"
    scans.mkdir()
    data = draw(tmp_path / "x.png").read_bytes()
    photo = scans / "x.png"
    parts = [data[:0], data[:0], data[:100], data[:300], data]
    steps = [lambda part=part: photo.write_bytes(part) for part in parts]
    method, said = watch(scans, out, *steps)
    assert method.calls == 0
    assert not lines(out, "failed")
    method, said = watch(scans, out, nothing, nothing, nothing)
    assert method.calls == 1
    assert said[1:] == [f"{photo} -> {out / 'x.color.png'}", f"1 colored into {out}, 0 failed"]


def test_what_was_there_comes_and_changes_is_colored_once(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    method, _ = watch(
        scans, out, nothing, nothing, lambda: draw(scans / "new" / "d.png"), nothing, nothing,
        lambda: draw(scans / "a.jpg", 77), nothing, nothing,
    )  # fmt: skip
    assert method.calls == 5
    assert len(lines(out, "ok")) == 5
    assert watch(scans, out, nothing, nothing)[0].calls == 0


def test_a_failure_is_said_once_and_tried_again_when_it_changes(tmp_path: Path) -> None:
    scans, out = tmp_path / "scans", tmp_path / "out"
    scans.mkdir()
    (scans / "x.png").write_bytes(b"half of it")
    steps = [nothing, nothing, nothing, lambda: draw(scans / "x.png"), nothing, nothing]
    method, said = watch(scans, out, *steps)
    assert method.calls == 1
    assert len([line for line in said if "expected an image" in line]) == 1
    assert said[-1] == f"1 colored into {out}, 1 failed"


def test_results_in_the_watched_folder_are_no_arrivals(scans: Path) -> None:
    method, _ = watch(scans, scans / "out", *[nothing] * 6)
    assert method.calls == 3


def test_a_folder_that_cannot_be_looked_into_is_said_once(scans: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    steps = [nothing, lambda: scans.rename(away), nothing, nothing, lambda: away.rename(scans)]
    method, said = watch(scans, tmp_path / "out", *steps, nothing)
    assert method.calls == 3
    assert len([line for line in said if "expected a folder to look into" in line]) == 1


def test_the_command_watches_until_ctrl_c(scans: Path, tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits to ignore it
    out = tmp_path / "out"
    command = [TINTYPE, "colorize", scans, "-o", out, "--recursive", "--watch"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        for name in ("roll/c.color.jpg", "late.color.png"):
            end = time.monotonic() + 30
            while not (out / name).exists() and time.monotonic() < end:
                time.sleep(0.05)
            if not (scans / "late.png").exists():
                draw(scans / "late.png")
        run.send_signal(signal.SIGINT)
        _, words = run.communicate()
    assert run.returncode == 0, words
    assert "Traceback" not in words
    assert words.splitlines()[0].startswith("tintype: watching")
    assert opened(out / "late.color.png").size == (40, 30)
    assert not [name for name in files(out) if "part" in name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scans/a.jpg", "--watch"), "expected a folder with --watch"),
        (("scans", "-o", "out", "--watch", "--interpolate", "a", "b"), "found --watch"),
    ],
)
def test_usage_errors(scans: Path, arguments: tuple[str, ...], message: str) -> None:
    done = tintype("colorize", *arguments, cwd=scans.parent, status=2)
    assert message in done.stderr.decode()
