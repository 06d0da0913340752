"""Shards for a large training: what is in them, their manifest, and the command."""

import hashlib
import io
import json
import tarfile
import threading
import time
import weakref

import numpy as np
import pytest
from click.testing import CliRunner
from command import tintype
from photos import exif, icc, toned
from PIL import Image

from research.conftest import scene
from research.data.conftest import SMALL, draw_photos, pack, shards
from tintype.cli import cli
from tintype.research.data import ledger, packing, photo_set
from tintype.research.data.packing import Options

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
    pack(tmp_path / "in", tmp_path / "out", Options(size=100))
    assert photo_set.load([shards(tmp_path / "out")], size=1000).photo(0).shape == (*shape, 3)


@pytest.mark.parametrize("source", ["a folder", "shards"])
def test_photos_are_upright_and_srgb(tmp_path, source):
    upright = np.zeros((80, 100, 3), np.uint8) + np.uint8([200, 40, 40])
    upright[:40] = [40, 40, 200]
    (tmp_path / "in").mkdir()
    turned = Image.fromarray(np.rot90(upright))  # orientation 6: turn it by 90 degrees clockwise
    turned.save(tmp_path / "in" / "turned.jpg", exif=exif(6), quality=95)
    linear = Image.fromarray(np.zeros((80, 80, 3), np.uint8) + np.uint8([128, 128, 20]))
    linear.save(tmp_path / "in" / "linear.png", icc_profile=icc("RGB", 1.0))
    pack(tmp_path / "in", tmp_path / "out", Options(size=64))
    patterns = {"a folder": str(tmp_path / "in"), "shards": shards(tmp_path / "out")}
    read = photo_set.load([patterns[source]], size=64)
    photo = read.photo(read.keys.index("turned"))
    assert photo.shape == (64, 80, 3)
    assert np.abs(photo[5, 5].astype(int) - [40, 40, 200]).max() < 6
    assert np.abs(photo[-5, 5].astype(int) - [200, 40, 40]).max() < 6
    # Half of the light is 188 of sRGB's 255.
    assert np.abs(read.photo(read.keys.index("linear"))[9, 9, :2].astype(int) - 188).max() < 6


def test_what_is_skipped_is_counted_by_reason_with_examples(tmp_path):
    folder = draw_photos(tmp_path / "in", 3)
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
    about = pack(folder, tmp_path / "out", Options(size=64, validation=0))
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
    about = pack(tmp_path, tmp_path / "out", SMALL)
    assert about["skipped"]["unreadable"]["photos"] == 12
    assert len(about["skipped"]["unreadable"]["examples"]) == ledger.EXAMPLES
    assert about["packed"] == {"train": 0, "validation": 0}


def test_gray_photos_are_left_out_or_marked(tmp_path):
    folder = draw_photos(tmp_path / "in", 2)
    gray = Image.fromarray(scene(80, 80, 5)).convert("L")
    gray.save(folder / "gray.png")
    gray.convert("RGB").save(folder / "n01" / "compressed.jpg", quality=40)
    sepia = toned(np.asarray(gray), (40, 20, 0), (255, 240, 200))
    Image.fromarray(sepia).save(folder / "sepia.png")
    without = pack(folder, tmp_path / "without", Options(validation=0))
    assert (without["gray"], without["packed"]["train"]) == (2, 3)
    assert without["classes"]["train"] == {"": 1, "n01": 1, "n02": 1}
    with_gray = pack(folder, tmp_path / "with", Options(validation=0, keep_gray=True))
    assert (with_gray["gray"], with_gray["packed"]["train"]) == (2, 5)
    with tarfile.open(tmp_path / "with" / "train-000000.tar") as tar:
        marked = {m.name: tar.extractfile(m).read() for m in tar if m.name.endswith(".json")}
    assert set(marked) == {"gray.json", "n01/compressed.json"}
    assert json.loads(marked["gray.json"]) == {"gray": True}
    assert len(photo_set.load([shards(tmp_path / "with")])) == 5


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
    pack(imagenet, tmp_path / "out", workers=3)
    assert 1 <= most <= 3
    assert alive == 0


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
