"""Folders: what is colored, where it goes, and that it goes on after whatever ended it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import psutil
import pytest
from command import TINTYPE, opened, tintype
from hypothesis import given
from hypothesis import strategies as st
from tiny import Quick, color, draw, files, lines, locate

from tintype.batch.folder import PHOTOS, Target, list_photos, result_name
from tintype.photo import Photo

# --- what, and where to ---------------------------------------------------------------------------


def test_a_tree_is_mirrored_and_its_inputs_are_not_touched(scans: Path, tmp_path: Path) -> None:
    before = files(scans)
    assert color(scans, tmp_path / "out") == (3, [])
    made = ["a.color.jpg", "b.color.png", "manifest.jsonl", "roll/c.color.jpg"]
    assert sorted(files(tmp_path / "out")) == made
    assert files(scans) == before
    for name in ("a.color.jpg", "b.color.png", "roll/c.color.jpg"):
        assert opened(tmp_path / "out" / name).size == (40, 30)


def test_without_recursive_only_its_own_photos_are_colored(scans: Path, tmp_path: Path) -> None:
    assert color(scans, tmp_path / "out", recursive=False) == (2, [])
    assert not (tmp_path / "out" / "roll").exists()


def test_names_stay_result_name(tmp_path: Path) -> None:
    names = ("a.jpg", "a.JPG", "a.png", "a.bmp", "a.gif", "a.bmp.png", "a.color.jpg", "b.tif")
    for name in names:
        draw(tmp_path / "in" / name)
    assert color(tmp_path / "in", tmp_path / "out", compare=True) == (len(names), [])
    made = set(files(tmp_path / "out")) - {"manifest.jsonl"}
    assert len(made) == 2 * len(names)
    plain = {"a.color.jpg", "a.color.JPG", "a.color.png", "b.color.tif", "a.compare.jpg"}
    assert made > plain | {"a.bmp.color.png", "a.gif.color.png", "a.bmp.png.color.png"}


NAME = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["a", "a.b", "a.color", "a.compare", "a.png", "a.bmp"]),
    *[st.sampled_from(["", *sorted(PHOTOS), ".BMP"])] * 2,
    st.sampled_from([*sorted(PHOTOS), ".JPG", ".HEIC"]),
)


@given(st.sets(NAME, max_size=60))
def test_no_two_names_ever_collide(names: set[str]) -> None:
    assert len({result_name(name) for name in names}) == len(names)


def test_junk_is_left_alone(scans: Path, tmp_path: Path) -> None:
    for name in ("Thumbs.db", "notes.txt", "noextension", "IMG.cr2"):
        (scans / name).write_bytes(b"x")
    for name in (".hidden.jpg", "._a.jpg", ".cache/x.jpg", "@eaDir/x.jpg", "__MACOSX/x.jpg"):
        draw(scans / name)
    (scans / "folder.jpg").mkdir()
    (scans / "loop").symlink_to(scans, target_is_directory=True)
    found = list_photos(scans, recursive=True)
    assert found.names == ["a.jpg", "b.png", "roll/c.jpg"]
    assert found.others == {".db": 1, ".txt": 1, "noextension": 1, ".cr2": 1}
    os.mkfifo(scans / "pipe.jpg")  # would never end
    assert color(scans, tmp_path / "out") == (3, [])


def test_results_in_the_folder_are_not_colored_again(scans: Path) -> None:
    for recursive in (False, True, True):
        color(scans, scans / "done", recursive=recursive)
    made = ["a.color.jpg", "b.color.png", "manifest.jsonl", "roll/c.color.jpg"]
    assert sorted(files(scans / "done")) == made


def test_results_may_not_lie_among_the_photos(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(scans, target_is_directory=True)
    for out in (scans, tmp_path / "link", tmp_path, scans / "a.jpg"):
        with pytest.raises(ValueError, match=r"expected .*; name another"):
            locate(scans, out).check()
    locate(scans, tmp_path, recursive=False).check()  # nothing can come to lie in scans/


# --- failures -------------------------------------------------------------------------------------


def test_bad_photos_stop_nothing_and_are_told(scans: Path, tmp_path: Path) -> None:
    (scans / "bad.jpg").write_bytes((scans / "a.jpg").read_bytes()[:200])
    (scans / "raw.heic").write_bytes(b"ftypheic")
    (scans / "gone.jpg").symlink_to("nowhere")
    for workers in (1, 3):
        out = tmp_path / f"out{workers}"
        calls, failures = color(scans, out, workers=workers)
        assert calls == 3
        names = sorted(line["input"] for line in lines(out, "failed"))
        assert names == ["bad.jpg", "gone.jpg", "raw.heic"]
        assert len(failures) == 3
        for line in lines(out, "failed"):
            assert line["reason"] in failures
            assert line["reason"].startswith(f"{scans / line['input']}: expected")
            assert "\n" not in line["reason"]
            assert line["files"] == {}
        assert len(lines(out, "ok")) == 3


def test_a_method_that_breaks_on_one_photo_stops_nothing(scans: Path, tmp_path: Path) -> None:
    class Brittle(Quick):
        def __call__(self, photo: Photo, target: Target):  # type: ignore[no-untyped-def]
            if self.calls == 1:
                self.calls += 1
                raise ZeroDivisionError("by\nzero")
            yield from super().__call__(photo, target)

    calls, failures = color(scans, tmp_path / "out", Brittle())
    assert calls == 3
    (line,) = failures
    assert line.endswith("found ZeroDivisionError: by zero; please report it")
    assert color(scans, tmp_path / "out") == (1, [])


def test_memory_does_not_grow_with_the_photos(tmp_path: Path) -> None:
    """Of 160 photos: keeping what becomes of one, 0.5 MB, would take 60 MB more at the end."""
    for number in range(160):
        draw(tmp_path / "scans" / f"{number}.jpg", number, (400, 300))
    used, process = list[int](), psutil.Process()

    class Weighing(Quick):
        def __call__(self, photo: Photo, target: Target):  # type: ignore[no-untyped-def]
            used.append(process.memory_info().rss)
            yield from super().__call__(photo, target)

    assert color(tmp_path / "scans", tmp_path / "out", Weighing()) == (160, [])
    assert median(used[-40:]) - median(used[:40]) < 20e6


# --- kills ----------------------------------------------------------------------------------------


CHILD = [sys.executable, Path(__file__).parents[1] / "tiny.py"]


def lines_in(out: Path) -> int:
    """How many whole lines the manifest has by now."""
    path = out / "manifest.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def check_all_is_done(scans: Path, out: Path, before: dict[str, str]) -> None:
    """Every photo is colored, whole, once, and nothing else is there."""
    assert files(scans) == before
    made = set(files(out)) - {"manifest.jsonl"}
    assert made == {str(Path(name).parent / result_name(Path(name).name)) for name in before}
    assert all(opened(out / name).size == (40, 30) for name in made)
    done = [line["input"] for line in lines(out, "ok")]
    assert sorted(done) == sorted(before)  # each once: what was done was not done again


def test_kills_at_any_moment_lose_nothing(tmp_path: Path) -> None:
    rng = random.Random(3)
    scans, out = tmp_path / "scans", tmp_path / "out"
    for number in range(500):
        draw(scans / f"{number % 7}" / f"{number}.{'png' if number % 3 else 'jpg'}", number)
    before = files(scans)
    for kill in range(10):
        command = [*CHILD, scans, out, str(1 + kill % 3)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
            assert run.stdout is not None
            run.stdout.readline()
            begun = lines_in(out) + rng.randint(1, 60)
            while lines_in(out) < begun and run.poll() is None:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.004))
            run.kill()
        assert run.returncode == -signal.SIGKILL
    subprocess.run([*CHILD, scans, out, "2"], check=True, stdout=subprocess.DEVNULL)
    check_all_is_done(scans, out, before)


def test_kills_at_every_step_of_writing_lose_nothing(tmp_path: Path) -> None:
    """Before and after a line and a file are safe, a file has its name, and its hidden one goes."""
    scans, out = tmp_path / "scans", tmp_path / "out"
    for number in range(40):
        draw(scans / f"{number}.png", number)
    before = files(scans)
    for function in ("fsync", "link", "unlink"):
        for when in ("before", "after"):
            for count in ("3", "4"):  # of fsync, one is of a line and one of a file
                command = [*CHILD, scans, out, "1", function, when, count]
                killed = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
                assert killed.returncode == -signal.SIGKILL
    assert lines_in(out) < 80
    subprocess.run([*CHILD, scans, out, "1"], check=True, stdout=subprocess.DEVNULL)
    check_all_is_done(scans, out, before)


def test_what_a_stopped_run_rewrote_is_not_what_was_done_before(
    scans: Path, tmp_path: Path
) -> None:
    class Stopped(Quick):
        """A method that ends between a photo's file and its line."""

        def __call__(self, photo: Photo, target: Target):  # type: ignore[no-untyped-def]
            yield from super().__call__(photo, target)
            raise KeyboardInterrupt

    out = tmp_path / "out"
    color(scans, out, quality=90)
    before = (out / "a.color.jpg").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        color(scans, out, Stopped(), quality=20)
    assert (out / "a.color.jpg").read_bytes() != before
    assert color(scans, out, quality=90) == (1, [])
    assert (out / "a.color.jpg").read_bytes() == before


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_whole_files_and_a_later_start_goes_on(tmp_path: Path, workers: int) -> None:
    scans, out = tmp_path / "scans", tmp_path / "out"
    for number in range(30):
        draw(scans / f"{number}.png", number, (200, 150))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits to ignore it
    command = [TINTYPE, "colorize", scans, "-o", out, "--workers", str(workers)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        while len(list(out.glob("*.png"))) < 2 and run.poll() is None:  # then one has its line
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        _, words = run.communicate()
    assert run.returncode == 130, words
    assert "Traceback" not in words
    assert words.splitlines()[-1].startswith("tintype: stopped")
    made = list(out.iterdir())
    assert 2 <= len(made) < 30
    assert all(opened(path).size == (200, 150) for path in made if path.name != "manifest.jsonl")
    assert not list(out.glob(".*"))
    done = tintype("colorize", scans, "-o", out, cwd=tmp_path)
    assert b"were done before" in done.stderr
    assert len(list(out.glob("*.png"))) == 30


# --- by command -----------------------------------------------------------------------------------


def test_the_command_colors_a_folder_and_tells_failures(scans: Path, tmp_path: Path) -> None:
    (scans / "Thumbs.db").write_bytes(b"x")
    (scans / "bad.jpg").write_bytes(b"no photo")
    options = ("-o", "scans/out", "--recursive", "--shift-hue", 90)
    done = tintype("colorize", "scans", *options, cwd=tmp_path, status=1)
    *failures, counts = done.stderr.decode().splitlines()
    assert len(failures) == 1
    assert failures[0].startswith("tintype: scans/bad.jpg: expected an image")
    assert "3 colored into scans/out, 1 failed" in counts
    assert "(1 .db)" in counts
    for line in lines(scans / "out", "ok"):
        assert isinstance(line["reached"], float)
    (scans / "bad.jpg").unlink()
    done = tintype("colorize", "scans", *options, cwd=tmp_path)
    assert b"0 colored into scans/out, 3 were done before" in done.stderr


def test_any_number_of_workers_gives_the_same_bytes(scans: Path, tmp_path: Path) -> None:
    for number in range(4):
        draw(scans / f"{number}.webp", 30 * number, (90, 130))
    for workers in (1, 3):
        options = ("--recursive", "--alternatives", 2, "--compare", "--workers", workers)
        tintype("colorize", "scans", "-o", f"out{workers}", *options, cwd=tmp_path)
    one, three = (files(tmp_path / f"out{workers}") for workers in (1, 3))
    del one["manifest.jsonl"], three["manifest.jsonl"]
    assert len(one) == 3 * 7
    assert one == three


@pytest.mark.usefixtures("scans")
def test_one_recipe_or_reference_for_a_folder(tmp_path: Path) -> None:
    recipe = {"version": 1, "edits": [{"shift_hue": 200}], "vividness": 0.5}
    (tmp_path / "r.json").write_text(json.dumps(recipe))
    tintype("colorize", "scans", "-o", "out", "--recipe", "r.json", cwd=tmp_path)
    tintype("colorize", "scans/a.jpg", "-o", "a.jpg", "--recipe", "r.json", cwd=tmp_path)
    assert (tmp_path / "out" / "a.color.jpg").read_bytes() == (tmp_path / "a.jpg").read_bytes()
    like = ("--like", "a.jpg", "--method", "welsh2002")
    done = tintype("colorize", "scans", "-o", "out", *like, cwd=tmp_path)
    assert b"2 colored" in done.stderr
    assert b"2 were done" in tintype("colorize", "scans", "-o", "out", *like, cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scans",), "expected -o OUT"),
        (("scans", "-o", "-"), "expected -o OUT"),
        (("scans", "-o", "scans"), "found it itself"),
        (("scans", "-o", ".", "--recursive"), "found ."),
        (("scans", "-o", "scans/a.jpg"), "found the file"),
        (("scans", "scans/a.jpg", "-o", "out"), "expected one folder or a list of photos"),
        (("scans/a.jpg", "--recursive"), "expected a folder with --recursive"),
        (("scans", "-o", "out", "--save-recipe", "r.json"), "--save-recipe saves one result"),
        (("scans", "-o", "out", "--workers", "0"), "--workers"),
    ],
)
def test_usage_errors_write_nothing(scans: Path, arguments: tuple[str, ...], message: str) -> None:
    before = files(scans.parent)
    done = tintype("colorize", *arguments, cwd=scans.parent, status=2)
    assert message in done.stderr.decode()
    assert files(scans.parent) == before
