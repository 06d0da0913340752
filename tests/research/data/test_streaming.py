"""Training from packed shards: each photo once an epoch, exact resume, what is refused."""

import json
import re
import shutil
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from research.conftest import SETTINGS, interrupted_after, refused, run_config, steps_of
from tintype.errors import DataError
from tintype.research import export
from tintype.research.data import augmentation, batches, photo_set, rng
from tintype.research.data.batches import Process
from tintype.research.data.shards import find_packs
from tintype.research.data.streaming import Stream, order_lanes
from tintype.research.methods import checkpoint
from tintype.research.training import loop


def config(shards, steps=4, **values):
    return replace(run_config(shards, steps, workers=1, freeze_norms=True), **values)


@pytest.fixture
def opened():
    """Opens the stream of one of several processes, and closes it after the test."""
    with ExitStack() as open_ones:

        def open_one(config, *, processes=1, rank=0, begin=0):
            made = Stream(
                find_packs(config.data), Process(rank, processes), seed=config.seed,
                size=config.size, workers=config.workers, ahead=2 * config.batch, begin=begin,
            )  # fmt: skip
            return open_ones.enter_context(closing(made))

        yield open_one


def keys(stream, count):
    """The keys of the next photos."""
    return [next(stream.photos)[0].key for _ in range(count)]


def manifest(shards):
    return json.loads((shards / "manifest.json").read_text())


# --- the order ------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(0, 5), st.integers(1, 6)
)  # fmt: skip
def test_an_epochs_lanes_hold_each_photo_once_at_most_and_are_equally_long(counts, epoch, count):
    order = order_lanes(counts, 0, epoch, count)
    photos = order.reshape(-1, 2).tolist()
    every = {(shard, i) for shard, photos in enumerate(counts) for i in range(photos)}
    assert set(map(tuple, photos)) <= every
    assert len(set(map(tuple, photos))) == len(photos) > len(every) - 2 * count
    for lane in order:
        visits = np.count_nonzero(np.diff(lane[:, 0])) + 1
        assert visits == len(set(lane[:, 0].tolist())) or not len(lane)  # a shard is read once


def test_the_order_is_by_seed_and_epoch():
    first = order_lanes([9] * 7, 3, 2, 2)
    assert np.array_equal(first, order_lanes([9] * 7, 3, 2, 2))
    assert not np.array_equal(first, order_lanes([9] * 7, 4, 2, 2))
    assert not np.array_equal(first, order_lanes([9] * 7, 3, 3, 2))
    assert not np.array_equal(np.sort(first[0, :9, 1]), first[0, :9, 1])  # nor in a shard's order


@pytest.mark.parametrize(("processes", "workers"), [(1, 1), (1, 3), (2, 1), (2, 3), (3, 2)])
def test_each_photo_is_seen_once_an_epoch_by_one_process(shards, opened, processes, workers):
    total = manifest(shards)["packed"]["train"]
    epoch = total // (2 * processes * workers) * 2 * workers
    first, second = Counter(), Counter()
    for rank in range(processes):
        some = opened(config(shards, workers=workers), processes=processes, rank=rank)
        first.update(keys(some, epoch))
        second.update(keys(some, epoch))
    for seen in (first, second):
        assert set(seen.values()) == {1}
        assert total - 2 * processes * workers < seen.total() <= total
    assert list(first) != list(second)


@pytest.mark.parametrize(("processes", "workers", "count"), [(2, 1, 4), (2, 2, 6), (3, 1, 2)])
def test_processes_see_together_what_one_with_larger_batches_and_all_workers_sees(
    shards, opened, processes, workers, count
):
    alone = opened(config(shards, workers=processes * workers))
    several = [
        opened(config(shards, workers=workers), processes=processes, rank=rank)
        for rank in range(processes)
    ]
    for _ in range(12):  # more than an epoch
        together = [key for one in several for key in keys(one, count)]
        assert sorted(together) == sorted(keys(alone, processes * count))


@pytest.mark.parametrize("begin", [0, 3, 8, 33, 34, 35, 36, 70, 111])
def test_a_stream_goes_on_anywhere(shards, opened, begin):
    whole = keys(opened(config(shards, workers=2)), begin + 40)
    assert keys(opened(config(shards, workers=2), begin=begin), 40) == whole[begin:]


def test_going_on_decodes_and_reads_nothing_of_what_came_before(shards, opened, monkeypatch):
    def counted(name):
        done, plain = [], getattr(photo_set, name)
        monkeypatch.setattr(photo_set, name, lambda *given: done.append(given) or plain(*given))
        return done

    decoded, read = counted("decode"), counted("read_tar")
    later = opened(config(shards), begin=1000)
    keys(later, 1)
    later.close()
    assert len(decoded) <= 8  # those that are in hand: twice a batch
    assert len(read) <= 4  # what these lie in, and the next shard


# --- batches --------------------------------------------------------------------------------------


def test_a_batch_is_what_memory_would_give_of_the_same_photos(shards, opened):
    some = config(shards)
    held = photo_set.load([str(shards / "train-*.tar")], size=some.size)
    batch = opened(some).take(0, 0, 4)(32)
    index = torch.tensor([held.keys.index(key) for key in keys(opened(some), 4)])
    assert batch.labels.tolist() == held.labels[index].tolist()
    assert set(held.labels.tolist()) == {0, 1, 2}
    numbers = rng.make_generators(
        some.seed, [(0, int(i)) for i in index]
    )  # shards lie in their order
    rgb = augmentation.cut_crops(held, index, 32, numbers)
    assert torch.equal(batch.rgb, rgb)


def test_colors_are_counted_on_the_same_crops_whatever_the_processes(shards, opened):
    one = torch.cat(list(opened(config(shards)).sample(32)))
    assert one.shape == (manifest(shards)["packed"]["train"] // 2 * 2, 32, 32, 3)
    for rank in range(2):
        other = opened(config(shards, workers=2), processes=2, rank=rank)
        assert torch.equal(torch.cat(list(other.sample(32))), one)


def test_photos_of_the_validation_shards_are_looked_at(shards, opened):
    squares = opened(config(shards)).cut_validation(64, 200)
    truth = photo_set.load([str(shards / "validation-*.tar")], size=96)
    assert len(squares) == len(truth) > 0
    np.testing.assert_array_equal(squares[0], truth.photo(0)[:64, :64])


def test_an_export_is_checked_on_photos_of_the_validation_shards(shards):
    about = manifest(shards)["packed"]
    assert len(export._load_grays([str(shards)], 64, held=True)) == about["validation"]


# --- runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["shards", "memory"])
def test_a_run_that_is_stopped_at_step_17_ends_at_the_weights_of_an_unbroken_one(
    shards, tmp_path, monkeypatch, kind
):
    values = {"batch": 2, "learning_rate": 0.05, "checkpoint_seconds": 0.0, "validation_photos": 0}
    given = config(shards, 20, **values, workers=2, freeze_norms=False)
    if kind == "memory":
        given = replace(given, data=(str(shards / "train-*.tar"),))
        sample = batches.Memory.sample
        monkeypatch.setattr(batches.Memory, "sample", lambda p, size: [next(sample(p, size))])
    loop.train(tmp_path / "whole", given, SETTINGS, resume=False)
    with monkeypatch.context() as patch:
        interrupted_after(17, patch)
        with pytest.raises(KeyboardInterrupt):
            loop.train(tmp_path / "parts", given, SETTINGS, resume=False)
    assert checkpoint.load(tmp_path / "parts" / "last.safetensors")[1]["step"] == 17
    loop.train(tmp_path / "parts", given, SETTINGS, resume=True)
    for name in ("last.safetensors", "model.safetensors"):
        whole, about = checkpoint.load(tmp_path / "whole" / name)
        parts, other = checkpoint.load(tmp_path / "parts" / name)
        assert about["step"] == other["step"] == 20
        assert about["photos"] == other["photos"] > 34
        assert whole.keys() == parts.keys()
        assert [n for n in whole if not torch.equal(whole[n], parts[n])] == []


def test_two_batches_accumulated_are_one_of_twice_the_size(shards, tmp_path):
    once = config(shards, 6, batch=8, log_steps=1, late_share=0, learning_rate=0.0003, warmup=1.0)
    loop.train(tmp_path / "once", once, SETTINGS, resume=False)
    twice = replace(once, batch=4, accumulate=2)
    loop.train(tmp_path / "twice", twice, SETTINGS, resume=False)
    for one, other in zip(steps_of(tmp_path / "once"), steps_of(tmp_path / "twice"), strict=True):
        assert other["photos"] == one["photos"] == 8 * one["step"]
        assert other["loss"] == pytest.approx(one["loss"], abs=1e-3)
    whole, parts = (
        checkpoint.load(tmp_path / name / "last.safetensors")[0] for name in ("once", "twice")
    )
    for name in ("model.decoder.classify.weight", "model.neck.detail.0.0.weight"):
        torch.testing.assert_close(whole[name], parts[name], atol=1e-4, rtol=0)


def test_frozen_norms_keep_their_statistics(shards, tmp_path):
    for frozen in (True, False):
        folder = tmp_path / str(frozen)
        loop.train(folder, config(shards, 2, freeze_norms=frozen), SETTINGS, resume=False)
        tensors, _ = checkpoint.load(folder / "model.safetensors")
        means = [t for name, t in tensors.items() if name.endswith("running_mean")]
        assert means
        assert all(bool((mean == 0).all()) is frozen for mean in means)


# --- what is refused ------------------------------------------------------------------------------


def test_fewer_shards_than_workers_are_refused(shards, opened, tmp_path):
    count = len(find_packs([str(shards)])[0].train)
    said = refused(tmp_path / "run", config(shards, workers=count + 1))
    assert f"expected at least {count + 1} (1 processes x {count + 1} workers) shards" in said
    assert f"found {count}; take fewer workers" in said
    with pytest.raises(DataError, match=rf"{2 * count} \(2 processes x {count} workers\) shards"):
        opened(config(shards, workers=count), processes=2)


@pytest.mark.parametrize(("name", "value"), [("limit", 3), ("source_weights", "n00=2")])
def test_what_needs_all_photos_is_refused(shards, tmp_path, name, value):
    assert f"{name}: expected none" in refused(tmp_path / "run", config(shards, **{name: value}))


@pytest.mark.parametrize("name", ["workers", "accumulate", "log_steps"])
def test_none_at_all_is_refused(shards, tmp_path, name):
    said = refused(tmp_path / "run", config(shards, **{name: 0}))
    assert said == f"{name}: expected 1 or more, found 0"


def test_other_workers_and_other_shards_are_no_resumption(shards, tmp_path):
    loop.train(tmp_path / "run", config(shards, 1), SETTINGS, resume=False)
    said = refused(tmp_path / "run", config(shards, 2, workers=2), resume=True)
    assert "1 processes x 1 workers, as the run began, found them of shards" in said
    memory = config(shards, 2, data=(str(shards / "train-*.tar"),))
    said = refused(tmp_path / "run", memory, resume=True)
    assert re.search(r"found them in memory of 1 processes, \d+ photos \w{12}; give it", said)


@pytest.fixture
def copied(shards, tmp_path):
    """A copy of the pack, to harm."""
    return shutil.copytree(shards, tmp_path / "copied")


def test_a_pack_with_a_part_missing_is_refused(copied, tmp_path):
    (copied / "train-000002.tar").unlink()
    said = refused(tmp_path / "run", config(copied))
    assert "train-000002.tar: expected " in said
    assert "found no file" in said
    (copied / "manifest.json").unlink()
    assert "expected a pack that is done" in refused(tmp_path / "run", config(copied))


def test_a_pack_beside_other_photos_is_refused(shards, photos, tmp_path):
    both = config(shards, data=(str(shards), str(photos)))
    assert f"{photos}: expected another folder of `tintype data pack`" in refused(tmp_path, both)


def test_a_folder_with_a_manifest_of_another_kind_is_one_of_photos(photos, tmp_path):
    folder = shutil.copytree(photos, tmp_path / "photos")
    for text in ("[]", "{}", "none", '{"tintype": 2}'):
        (folder / "manifest.json").write_text(text)
        assert find_packs([str(folder)]) == []


def test_a_broken_photo_in_a_shard_ends_the_run(copied, tmp_path):
    path = copied / "train-000000.tar"
    content = path.read_bytes()
    path.write_bytes(content[:600] + b"\0" * 300 + content[900:])
    said = refused(tmp_path / "run", config(copied, 20))
    assert "expected a photo, found a broken file" in said


def test_a_shard_with_other_photos_than_its_manifest_says_ends_the_run(copied, tmp_path):
    about = manifest(copied)
    for shard in about["shards"]:
        shard["photos"] += 1
    (copied / "manifest.json").write_text(json.dumps(about))
    assert "tar: expected 6 photos, found 5" in refused(tmp_path / "run", config(copied, 20))
