"""Packing goes on after a kill, and refuses what would not fit to what is there."""

import errno
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from research.data.conftest import draw_photos, files, pack, write_tar
from tintype.errors import DataError
from tintype.research.data import ledger, packing
from tintype.research.data.packing import Options


class StopError(Exception):
    """Whatever may go wrong."""


def stopping(patch, left):
    """Raise StopError at a moment: before a photo, or before or after a file gets its name."""
    count = itertools.count()

    def count_calls(function):
        def counting(*given, **named):
            if next(count) == left:
                raise StopError
            done = function(*given, **named)
            if function is not photo and next(count) == left:
                raise StopError
            return done

        return counting

    photo = packing.pack_photo
    patch.setattr(packing, "pack_photo", count_calls(photo))
    patch.setattr(Path, "replace", count_calls(Path.replace))


@pytest.mark.parametrize("seed", range(4))
def test_a_pack_that_was_stopped_goes_on_to_the_same_bytes(
    tmp_path, imagenet, unbroken, monkeypatch, seed
):
    draw = random.Random(seed)
    stops = 0
    for _ in range(4):
        with monkeypatch.context() as patch:
            stopping(patch, draw.randrange(40))
            try:
                pack(imagenet, tmp_path / "out", workers=draw.choice([1, 3]))
            except StopError:
                stops += 1
    assert stops > 0
    before = {path: path.stat().st_ino for path in (tmp_path / "out").glob("*.tar")}
    assert all(path.read_bytes() == files(unbroken)[path.name] for path in before)
    pack(imagenet, tmp_path / "out")
    assert files(tmp_path / "out") == files(unbroken)
    assert all(path.stat().st_ino == number for path, number in before.items())  # not made again
    assert [p.name for p in (tmp_path / "out").iterdir() if p.name.startswith(".")] == [ledger.WORK]


KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from tintype.research.data import packing
source, out, left = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
count = itertools.count()
def count_calls(function):
    def counting(*given, **named):
        if next(count) == left:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)
    return counting
packing.pack_photo, Path.replace = count_calls(packing.pack_photo), count_calls(Path.replace)
packing.pack([source], out, packing.Options(size=64, per_shard=5, validation=0.2), workers=2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_a_pack_that_was_killed_goes_on_to_the_same_bytes(tmp_path, imagenet, unbroken):
    for left in (3, 12, 11):
        words = [sys.executable, "-c", KILLED, str(imagenet), str(tmp_path / "out"), str(left)]
        done = subprocess.run(words, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert not (tmp_path / "out" / "manifest.json").exists()
    pack(imagenet, tmp_path / "out")
    assert files(tmp_path / "out") == files(unbroken)


def test_a_shard_that_was_lost_or_cut_is_made_again_alone(
    tmp_path, imagenet, unbroken, monkeypatch
):
    pack(imagenet, tmp_path / "out")
    (tmp_path / "out" / "train-000001.tar").unlink()
    os.truncate(tmp_path / "out" / "train-000002.tar", 5000)
    made = []
    write = packing._write
    monkeypatch.setattr(
        packing, "_write", lambda s, *given: (made.append(s.name), write(s, *given))
    )
    pack(imagenet, tmp_path / "out")
    assert made == ["train-000001.tar", "train-000002.tar"]
    assert files(tmp_path / "out") == files(unbroken)


def test_other_options_and_sources_are_refused(tmp_path, imagenet):
    out = tmp_path / "out"
    pack(imagenet, out)
    before = files(out)
    for options, found in (
        (Options(size=65, per_shard=5, validation=0.2), "size 64, found 65"),
        (Options(size=64, per_shard=5, validation=0.2, subset=9), "subset null, found 9"),
    ):
        with pytest.raises(DataError, match=f"expected to go on with {found}; pack into another"):
            pack(imagenet, out, options)
    other = draw_photos(tmp_path / "other", 3)
    with pytest.raises(DataError, match=r"expected to go on with sources .*; pack into another"):
        pack(other, out)
    assert files(out) == before
    with pytest.raises(DataError, match=r"expected a new or empty folder, found n01 in it"):
        pack(imagenet, other)


def test_photos_that_came_since_are_refused(tmp_path):
    folder = draw_photos(tmp_path / "in", 3)
    pack(folder, tmp_path / "out")
    draw_photos(folder, 4)
    with pytest.raises(DataError, match=r'with photos "3 .*", found "4 .*"; pack into another'):
        pack(folder, tmp_path / "out")


def test_a_second_pack_at_the_same_time_is_refused(tmp_path, imagenet):
    out = tmp_path / "out"
    (out / ledger.WORK).mkdir(parents=True)
    with ledger.lock_folder(out), pytest.raises(DataError, match="expected no other pack"):
        pack(imagenet, out)


def test_what_a_kill_left_half_written_is_removed(tmp_path, imagenet):
    (tmp_path / "out" / ledger.WORK).mkdir(parents=True)
    left = [tmp_path / "out" / f / ".tintype-0123456789abcdef.part" for f in ("", ledger.WORK)]
    for path in left:
        path.write_bytes(b"half")
    pack(imagenet, tmp_path / "out")
    assert not any(path.exists() for path in left)


def test_a_broken_note_is_named(tmp_path, imagenet):
    pack(imagenet, tmp_path / "out")
    (tmp_path / "out" / ledger.WORK / "train-000000.tar.json").write_text("{")
    with pytest.raises(DataError, match=r"train-000000\.tar\.json: expected JSON.*remove it"):
        pack(imagenet, tmp_path / "out")


def test_a_folder_that_cannot_be_written(tmp_path, imagenet):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DataError, match="expected to write shards, found: "):
        pack(imagenet, tmp_path / "out")


@pytest.mark.parametrize("place", [(os, "fsync"), (shutil, "copyfileobj")], ids=["shard", "tar"])
def test_a_full_disk(tmp_path, imagenet, monkeypatch, place):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    source = write_tar(imagenet, tmp_path / "some.tar.gz", "w:gz")
    monkeypatch.setattr(*place, full)
    with pytest.raises(DataError, match=r"expected to write shards, found: No space left.*; mend"):
        pack(source, tmp_path / "out")
    monkeypatch.undo()
    assert sum(pack(source, tmp_path / "out")["packed"].values()) == 23
