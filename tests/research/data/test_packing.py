"""Shards for a large training: what is in them, what decides it, and going on after a kill."""

import errno
import hashlib
import io
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from command import tintype
from hypothesis import given, settings
from hypothesis import strategies as st
from photos import exif, icc, toned
from PIL import Image

from research.conftest import scene
from tintype.cli import cli
from tintype.errors import DataError
from tintype.research.data import ledger, packing, photo_set, sources
from tintype.research.data.ledger import Tally
from tintype.research.data.packing import Options, chosen, held_out, planned
from tintype.research.data.sources import Place

SMALL = Options(size=64, per_shard=5, validation=0.2)


def drawn(folder, count=23, classes=("n01", "n02", "n03")):
    """A folder in ImageNet's layout with photos of 80 x 70 pixels."""
    for number in range(count):
        path = folder / classes[number % len(classes)] / f"{number}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(80, 70, number)).save(path, "JPEG", quality=95)
    return folder


def tarred(folder, path, mode):
    """The photos of a folder in a tar file."""
    with tarfile.open(path, mode) as tar:
        for file in sorted(folder.rglob("*.JPEG")):
            tar.add(file, file.relative_to(folder))
    return str(path)


def packed(source, out, options=SMALL, workers=2):
    return packing.pack([str(source)], out, options, workers=workers)


def files(out):
    """What people see of a pack, by name."""
    return {path.name: path.read_bytes() for path in sorted(out.glob("[!.]*"))}


def shards(out, split="*"):
    return str(out / f"{split}-*.tar")


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("imagenet"))


@pytest.fixture(scope="module")
def unbroken(imagenet, tmp_path_factory):
    """A pack that nothing has stopped."""
    out = tmp_path_factory.mktemp("unbroken") / "shards"
    packed(imagenet, out)
    return out


# --- what is in shards ----------------------------------------------------------------------------


def test_shards_are_read_back_with_the_same_keys_classes_and_nearly_the_same_pixels(
    imagenet, unbroken
):
    given = photo_set.load([str(imagenet)], size=64)
    read = photo_set.load([shards(unbroken)], size=64)
    assert sorted(read.keys) == given.keys
    labels = dict(zip(read.keys, read.labels.tolist(), strict=True))
    assert [labels[key] for key in given.keys] == given.labels.tolist()
    assert len(set(labels.values())) == 3
    for i, key in enumerate(given.keys):
        photo = read.photo(read.keys.index(key)).astype(int)
        assert photo.shape == given.photo(i).shape == (64, 73, 3)
        assert np.abs(photo - given.photo(i)).mean() < 2.5


def test_shards_hold_so_many_photos_at_most_shuffled_and_nothing_of_when_and_by_whom(unbroken):
    members = []
    for path in sorted(unbroken.glob("train-*.tar")):
        with tarfile.open(path) as tar:
            inside = tar.getmembers()
        assert 0 < len(inside) <= SMALL.per_shard
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in inside} == {(0, 0, 0, "", "")}
        members += [m.name for m in inside]
    assert [path.name for path in sorted(unbroken.glob("train-*"))][1] == "train-000001.tar"
    assert members != sorted(members)


@pytest.mark.parametrize(("width", "height", "shape"), [
    (300, 150, (100, 200)), (150, 307, (205, 100)), (90, 120, (120, 90)),
])  # fmt: skip
def test_the_short_side_is_limited_and_nothing_enlarged(tmp_path, width, height, shape):
    (tmp_path / "in").mkdir()
    Image.fromarray(scene(width, height, 0)).save(tmp_path / "in" / "a.png")
    packed(tmp_path / "in", tmp_path / "out", Options(size=100))
    assert photo_set.load([shards(tmp_path / "out")], size=1000).photo(0).shape == (*shape, 3)


def test_photos_are_upright_and_srgb(tmp_path):
    upright = np.zeros((80, 100, 3), np.uint8) + np.uint8([200, 40, 40])
    upright[:40] = [40, 40, 200]
    (tmp_path / "in").mkdir()
    turned = Image.fromarray(np.rot90(upright))  # orientation 6: turn it by 90 degrees clockwise
    turned.save(tmp_path / "in" / "turned.jpg", exif=exif(6), quality=95)
    linear = Image.fromarray(np.zeros((80, 80, 3), np.uint8) + np.uint8([128, 128, 20]))
    linear.save(tmp_path / "in" / "linear.png", icc_profile=icc("RGB", 1.0))
    packed(tmp_path / "in", tmp_path / "out")
    read = photo_set.load([shards(tmp_path / "out")], size=100)
    photo = read.photo(read.keys.index("turned"))
    assert photo.shape == (64, 80, 3)
    assert np.abs(photo[5, 5].astype(int) - [40, 40, 200]).max() < 6
    assert np.abs(photo[-5, 5].astype(int) - [200, 40, 40]).max() < 6
    # Half of the light is 188 of sRGB's 255.
    assert np.abs(read.photo(read.keys.index("linear"))[9, 9, :2].astype(int) - 188).max() < 6


def test_what_is_skipped_is_counted_by_reason_with_examples(tmp_path):
    folder = drawn(tmp_path / "in", 3)
    whole = (folder / "n01" / "0.JPEG").read_bytes()
    image = Image.open(io.BytesIO(whole))
    (folder / "empty.jpg").touch()
    (folder / "cut.jpg").write_bytes(whole[:-900])
    (folder / "text.png").write_text("no photo")
    image.resize((63, 200)).save(folder / "small.png")
    image.resize((400, 99)).save(folder / "long.png")
    image.resize((400, 100)).save(folder / "just.png")
    image.convert("CMYK").save(folder / "ink.jpg")
    image.save(folder / "profile.png", icc_profile=b"broken")
    image.save(folder / "same.jpg")
    image.save(folder / "same.png")
    (folder / "notes.txt").write_text("not listed")
    about = packed(folder, tmp_path / "out", Options(size=64, validation=0))
    assert {why: found["photos"] for why, found in about["skipped"].items()} == {
        "unreadable": 3, "short side under 64": 1, "longer than 4:1": 1, "colors unknown": 2,
        "another photo has the key": 1,
    }  # fmt: skip
    assert about["skipped"]["longer than 4:1"]["examples"] == ["long.png: 400 x 99"]
    assert about["skipped"]["another photo has the key"]["examples"] == ["same.png"]
    assert all("expected" in text for text in about["skipped"]["colors unknown"]["examples"])
    assert (about["photos"], about["packed"]) == (13, {"train": 5, "validation": 0})


def test_few_examples_are_kept_of_many_skipped_in_several_shards(tmp_path):
    for number in range(12):
        (tmp_path / f"{number}.jpg").touch()
    about = packed(tmp_path, tmp_path / "out", SMALL)
    assert about["skipped"]["unreadable"]["photos"] == 12
    assert len(about["skipped"]["unreadable"]["examples"]) == ledger.EXAMPLES
    assert about["packed"] == {"train": 0, "validation": 0}


def test_gray_photos_are_left_out_or_marked(tmp_path):
    folder = drawn(tmp_path / "in", 2)
    gray = Image.fromarray(scene(80, 80, 5)).convert("L")
    gray.save(folder / "gray.png")
    gray.convert("RGB").save(folder / "n01" / "compressed.jpg", quality=40)
    sepia = toned(np.asarray(gray), (40, 20, 0), (255, 240, 200))
    Image.fromarray(sepia).save(folder / "sepia.png")
    without = packed(folder, tmp_path / "without", Options(validation=0))
    assert (without["gray"], without["packed"]["train"]) == (2, 3)
    assert without["classes"]["train"] == {"": 1, "n01": 1, "n02": 1}
    with_gray = packed(folder, tmp_path / "with", Options(validation=0, keep_gray=True))
    assert (with_gray["gray"], with_gray["packed"]["train"]) == (2, 5)
    with tarfile.open(tmp_path / "with" / "train-000000.tar") as tar:
        marked = {m.name: tar.extractfile(m).read() for m in tar if m.name.endswith(".json")}
    assert set(marked) == {"gray.json", "n01/compressed.json"}
    assert json.loads(marked["gray.json"]) == {"gray": True}
    assert len(photo_set.load([shards(tmp_path / "with")])) == 5


# --- sources --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_file_gives_what_its_folder_gives(tmp_path, imagenet, unbroken, mode):
    packed(tarred(imagenet, tmp_path / "some.tar", mode), tmp_path / "out")
    assert {n: b for n, b in files(tmp_path / "out").items() if n != "manifest.json"} == {
        n: b for n, b in files(unbroken).items() if n != "manifest.json"
    }
    assert not list((tmp_path / "out" / ledger.WORK).glob("*.tar"))


def test_places_have_the_keys_of_load(tmp_path, imagenet):
    os.symlink(imagenet, imagenet / "loop")
    for name in ("n01/a.b.jpg", "n01/deeper/c.webp", "n01/.hidden.png"):
        (imagenet / name).parent.mkdir(exist_ok=True)
        Image.fromarray(scene(80, 70, 0)).save(imagenet / name)
    try:
        listed = list(sources.listed([str(imagenet)], tmp_path))
        assert sorted(p.key for p in listed) == sorted(photo_set.load([str(imagenet)]).keys)
        assert all(Image.open(io.BytesIO(p.read())).size == (80, 70) for p in listed)
    finally:
        for name in ("loop", "n01/a.b.jpg", "n01/deeper/c.webp", "n01/.hidden.png"):
            (imagenet / name).unlink()


def test_names_that_lead_out_of_a_folder_are_skipped(tmp_path):
    content = io.BytesIO()
    Image.fromarray(scene(80, 70, 0)).save(content, "PNG")
    with tarfile.open(tmp_path / "in.tar", "w") as tar:
        for name in ("../up.png", "a/../../up.png", "/root.png", "a/fine.png", "a/fine..png"):
            about = tarfile.TarInfo(name)
            about.size = len(content.getvalue())
            content.seek(0)
            tar.addfile(about, content)
    about = packed(tmp_path / "in.tar", tmp_path / "out", Options(validation=0))
    assert about["skipped"]["name leads out of the folder"]["photos"] == 3
    assert sorted(photo_set.load([shards(tmp_path / "out")]).keys) == ["a/fine", "a/fine."]


def test_a_name_that_is_no_utf8(tmp_path):
    (tmp_path / "in").mkdir()
    photo = io.BytesIO()
    Image.fromarray(scene(80, 70, 0)).save(photo, "PNG")
    (tmp_path / "in" / os.fsdecode(b"caf\xe9.png")).write_bytes(photo.getvalue())
    assert packed(tmp_path / "in", tmp_path / "out", Options(validation=0))["packed"]["train"] == 1
    assert photo_set.load([shards(tmp_path / "out")]).keys == [os.fsdecode(b"caf\xe9")]


@pytest.mark.parametrize(("name", "found"), [
    ("missing", "found nothing"), ("*.none", "found nothing"), ("empty", "found none"),
    ("broken.tar", "found a broken one"), ("one.jpg", "found a photo"),
])  # fmt: skip
def test_sources_of_no_use(tmp_path, name, found):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.tar").write_bytes(b"nothing of the kind" * 100)
    (tmp_path / "one.jpg").touch()
    with pytest.raises(DataError, match=f"expected .*, {found}") as caught:
        packed(tmp_path / name, tmp_path / "out")
    assert "\n" not in str(caught.value)
    (tmp_path / "right").mkdir()
    Image.fromarray(scene(80, 70, 0)).save(tmp_path / "right" / "a.png")
    packed(tmp_path / "right", tmp_path / "out")  # a slip of the pen binds nobody


def test_photos_that_have_gone_since_they_were_listed_stop_the_pack(tmp_path, monkeypatch):
    folder = drawn(tmp_path / "in", 5)
    planned = packing.planned

    def going(*given):
        (folder / "n02" / "1.JPEG").unlink()
        return planned(*given)

    monkeypatch.setattr(packing, "planned", going)
    with pytest.raises(DataError, match=r"expected n02/1\.JPEG as it was listed, found nothing"):
        packed(folder, tmp_path / "out")


# --- what decides ---------------------------------------------------------------------------------

KEYS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), unique=True, max_size=40)


def choose(keys, **options):
    places = [Place(key, "in", ".jpg") for key in keys if ".." not in key and key[0] != "/"]
    return [place.key for place in chosen(places, Options(**options), Tally())]


@settings(max_examples=60, deadline=None)
@given(KEYS, st.integers(1, 50), st.integers(0, 3), st.randoms(use_true_random=False))
def test_a_subset_has_its_size_and_goes_by_keys_and_seed_alone(keys, count, seed, order):
    every = choose(keys)
    some = choose(keys, subset=count, seed=seed)
    assert len(some) == min(count, len(every))
    assert len(set(some)) == len(some)
    assert [key for key in every if key in set(some)] == some
    order.shuffle(keys)
    assert choose(keys, subset=count, seed=seed) == some
    assert set(choose(keys, subset=max(1, count - 3), seed=seed)) <= set(some)


@settings(max_examples=60, deadline=None)
@given(KEYS, st.integers(0, 40), st.floats(0, 1))
def test_a_split_goes_by_the_key_alone(keys, fewer, share):
    def split(keys):
        shards = planned([Place(key, "in", ".jpg") for key in keys], Options(validation=share))
        return {p.key: shard.name.partition("-")[0] for shard in shards for p in shard.places}

    whole = split(keys)
    assert set(whole) == set(keys)
    assert split(keys[fewer:]) == {key: whole[key] for key in keys[fewer:]}


def test_shares_and_seeds():
    keys = [f"n{i % 10}/{i}" for i in range(20_000)]
    assert 0.017 < np.mean([held_out(key, 0.02) for key in keys]) < 0.023
    assert not any(held_out(key, 0) for key in keys)
    assert all(held_out(key, 1) for key in keys)
    first, second = (set(choose(keys, subset=5000, seed=seed)) for seed in (1, 2))
    assert 1000 < len(first & second) < 1500  # as by chance
    # Some of the photos for training are still for tuning, which the same hash would not leave.
    tuning = photo_set.held_out([key for key in keys if not held_out(key, 0.02)])
    assert 0.015 < tuning.float().mean() < 0.025
    # Pinned: shards of tomorrow must hold out the same photos.
    assert [i for i in range(300) if held_out(f"photo-{i}", 0.02)] == [
        52, 62, 116, 236, 278,
    ]  # fmt: skip


def test_one_photo_of_a_key_is_chosen_whatever_the_order():
    same = [Place("a", "in", suffix) for suffix in (".png", ".jpg", ".webp")]
    for order in itertools.permutations(same):
        tally = Tally()
        assert [p.suffix for p in chosen(order, Options(), tally)] == [".jpg"]
        assert tally.skipped == {"another photo has the key": 2}


def test_workers_change_nothing(tmp_path, imagenet, unbroken):
    packed(imagenet, tmp_path / "one", workers=1)
    assert files(tmp_path / "one") == files(unbroken)


def test_a_subset_is_packed(tmp_path, imagenet):
    options = Options(size=64, per_shard=5, validation=0.2, subset=9, seed=3)
    about = packed(imagenet, tmp_path / "out", options)
    assert sum(about["packed"].values()) == 9
    assert about["photos"] == 23


# --- the manifest ---------------------------------------------------------------------------------


def test_the_manifest_says_what_is_there(imagenet, unbroken):
    about = json.loads((unbroken / "manifest.json").read_text())
    names = [shard["name"] for shard in about["shards"]]
    assert sorted(names) == sorted(path.name for path in unbroken.glob("*.tar"))
    for shard in about["shards"]:
        content = (unbroken / shard["name"]).read_bytes()
        assert shard["sha256"] == hashlib.sha256(content).hexdigest()
        assert shard["bytes"] == len(content)
    assert about["bytes"] == sum(shard["bytes"] for shard in about["shards"])
    for split, count in about["packed"].items():
        keys = photo_set.load([shards(unbroken, split)]).keys
        assert len(keys) == count == sum(about["classes"][split].values())
        assert {key.partition("/")[0] for key in keys} == set(about["classes"][split])
    assert about["photos"] == sum(about["packed"].values()) == 23
    assert about["options"]["sources"] == [str(imagenet)]
    assert about["options"]["size"] == 64


# --- going on -------------------------------------------------------------------------------------


class StopError(Exception):
    """Whatever may go wrong."""


def stopping(patch, left):
    """Raise StopError at a moment: before a photo, or before or after a file gets its name."""
    count = itertools.count()

    def counted(function):
        def counting(*given, **named):
            if next(count) == left:
                raise StopError
            done = function(*given, **named)
            if function is not photo and next(count) == left:
                raise StopError
            return done

        return counting

    photo = packing.packed
    patch.setattr(packing, "packed", counted(photo))
    patch.setattr(Path, "replace", counted(Path.replace))


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
                packed(imagenet, tmp_path / "out", workers=draw.choice([1, 3]))
            except StopError:
                stops += 1
    assert stops > 0
    before = {path: path.stat().st_ino for path in (tmp_path / "out").glob("*.tar")}
    assert all(path.read_bytes() == files(unbroken)[path.name] for path in before)
    packed(imagenet, tmp_path / "out")
    assert files(tmp_path / "out") == files(unbroken)
    assert all(path.stat().st_ino == number for path, number in before.items())  # not made again
    assert [p.name for p in (tmp_path / "out").iterdir() if p.name.startswith(".")] == [ledger.WORK]


KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from tintype.research.data import packing
source, out, left = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
count = itertools.count()
def counted(function):
    def counting(*given):
        if next(count) == left:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given)
    return counting
packing.packed, Path.replace = counted(packing.packed), counted(Path.replace)
packing.pack([source], out, packing.Options(size=64, per_shard=5, validation=0.2), workers=2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_a_pack_that_was_killed_goes_on_to_the_same_bytes(tmp_path, imagenet, unbroken):
    for left in (3, 12, 11):
        words = [sys.executable, "-c", KILLED, str(imagenet), str(tmp_path / "out"), str(left)]
        done = subprocess.run(words, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert not (tmp_path / "out" / "manifest.json").exists()
    packed(imagenet, tmp_path / "out")
    assert files(tmp_path / "out") == files(unbroken)


def test_a_shard_that_was_lost_or_cut_is_made_again_alone(
    tmp_path, imagenet, unbroken, monkeypatch
):
    packed(imagenet, tmp_path / "out")
    (tmp_path / "out" / "train-000001.tar").unlink()
    os.truncate(tmp_path / "out" / "train-000002.tar", 5000)
    made = []
    write = packing._write
    monkeypatch.setattr(
        packing, "_write", lambda s, *given: (made.append(s.name), write(s, *given))
    )
    packed(imagenet, tmp_path / "out")
    assert made == ["train-000001.tar", "train-000002.tar"]
    assert files(tmp_path / "out") == files(unbroken)


def test_other_options_and_sources_are_refused(tmp_path, imagenet):
    out = tmp_path / "out"
    packed(imagenet, out)
    before = files(out)
    for options, found in (
        (Options(size=65, per_shard=5, validation=0.2), "size 64, found 65"),
        (Options(size=64, per_shard=5, validation=0.2, subset=9), "subset null, found 9"),
    ):
        with pytest.raises(DataError, match=f"expected to go on with {found}; pack into another"):
            packed(imagenet, out, options)
    other = drawn(tmp_path / "other", 3)
    with pytest.raises(DataError, match=r"expected to go on with sources .*; pack into another"):
        packed(other, out)
    assert files(out) == before
    with pytest.raises(DataError, match=r"expected a new or empty folder, found n01 in it"):
        packed(imagenet, other)


def test_photos_that_came_since_are_refused(tmp_path):
    folder = drawn(tmp_path / "in", 3)
    packed(folder, tmp_path / "out")
    drawn(folder, 4)
    with pytest.raises(DataError, match=r'with photos "3 .*", found "4 .*"; pack into another'):
        packed(folder, tmp_path / "out")


def test_a_second_pack_at_the_same_time_is_refused(tmp_path, imagenet):
    out = tmp_path / "out"
    (out / ledger.WORK).mkdir(parents=True)
    with ledger.alone(out), pytest.raises(DataError, match="expected no other pack"):
        packed(imagenet, out)


def test_a_broken_note_is_named(tmp_path, imagenet):
    packed(imagenet, tmp_path / "out")
    (tmp_path / "out" / ledger.WORK / "train-000000.tar.json").write_text("{")
    with pytest.raises(DataError, match=r"train-000000\.tar\.json: expected JSON.*remove it"):
        packed(imagenet, tmp_path / "out")


def test_a_folder_that_cannot_be_written(tmp_path, imagenet):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DataError, match="expected to write shards, found: "):
        packed(imagenet, tmp_path / "out")


@pytest.mark.parametrize("place", [(ledger, "sync"), (shutil, "copyfileobj")], ids=["shard", "tar"])
def test_a_full_disk(tmp_path, imagenet, monkeypatch, place):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    source = tarred(imagenet, tmp_path / "some.tar.gz", "w:gz")
    monkeypatch.setattr(*place, full)
    with pytest.raises(DataError, match=r"expected to write shards, found: No space left.*; mend"):
        packed(source, tmp_path / "out")
    monkeypatch.undo()
    assert sum(packed(source, tmp_path / "out")["packed"].values()) == 23


def test_one_colored_pixel_is_enough():
    rgb = np.full((200, 300, 3), 128, np.uint8)
    assert packing.is_gray(Image.fromarray(rgb))
    rgb[7, 11] = (140, 128, 100)
    assert not packing.is_gray(Image.fromarray(rgb))


# --- memory, order --------------------------------------------------------------------------------


def test_no_more_photos_are_alive_than_workers(tmp_path, imagenet, monkeypatch):
    lock, alive, most = threading.Lock(), 0, 0

    def change(by):
        nonlocal alive, most
        with lock:
            alive += by
            most = max(most, alive)

    def decoded(*_, **__):
        photo = scene(80, 70, 0)
        change(+1)
        weakref.finalize(photo, change, -1)
        return photo

    add = packing._add
    monkeypatch.setattr(packing, "read_rgb", decoded)
    monkeypatch.setattr(packing, "_add", lambda *given: (time.sleep(0.005), add(*given)))
    packed(imagenet, tmp_path / "out", workers=3)
    assert 1 <= most <= 3
    assert alive == 0


def test_items_are_taken_as_results_are():
    taken = itertools.count()
    results = packing.in_order(str, (next(taken) for _ in range(1000)), 2)
    for number, result in zip(range(50), results, strict=False):
        assert result == str(number)
    assert next(taken) <= 50 + 1 + 8 * 2
    results.close()


# --- by command -----------------------------------------------------------------------------------


def test_by_command(tmp_path, imagenet):
    words = ["data", "pack", imagenet, "-o", "shards", "--size", "64", "--per-shard", "10"]
    done = tintype(*words, "--subset", "20", "--seed", "1", "--workers", "2", cwd=tmp_path)
    said = done.stdout.decode()
    about = json.loads((tmp_path / "shards" / "manifest.json").read_text())
    assert said.startswith(f"packed {about['packed']['train']} for train, ")
    assert len(photo_set.load([str(tmp_path / "shards" / "*.tar")])) == 20
    refused = tintype(*words, cwd=tmp_path, status=1).stderr.decode()
    assert refused.count("\n") == 1
    assert "expected to go on with subset 20, found null; pack into another folder" in refused


def test_a_seed_wants_a_subset(tmp_path):
    words = ["data", "pack", str(tmp_path), "-o", str(tmp_path / "out"), "--seed", "1"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "expected --subset with --seed" in result.output
