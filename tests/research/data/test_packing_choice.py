"""What decides which photos are packed and where: keys and seeds alone."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from research.data.conftest import files, pack
from tintype.research.data import photo_set
from tintype.research.data.ledger import Tally
from tintype.research.data.packing import Options, choose_photos, is_validation, plan_shards
from tintype.research.data.sources import Place

KEYS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), unique=True, max_size=40)


def choose(keys, **options):
    places = [Place(key, "in", ".jpg") for key in keys if ".." not in key and key[0] != "/"]
    return [place.key for place in choose_photos(places, Options(**options), Tally())]


@settings(max_examples=60)
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


@settings(max_examples=60)
@given(KEYS, st.integers(0, 40), st.floats(0, 1))
def test_a_split_goes_by_the_key_alone(keys, fewer, share):
    def split(keys):
        shards = plan_shards([Place(key, "in", ".jpg") for key in keys], Options(validation=share))
        return {p.key: shard.name.partition("-")[0] for shard in shards for p in shard.places}

    whole = split(keys)
    assert set(whole) == set(keys)
    assert split(keys[fewer:]) == {key: whole[key] for key in keys[fewer:]}


def test_shares_and_seeds():
    keys = [f"n{i % 10}/{i}" for i in range(20_000)]
    assert 0.017 < np.mean([is_validation(key, 0.02) for key in keys]) < 0.023
    assert not any(is_validation(key, 0) for key in keys)
    assert all(is_validation(key, 1) for key in keys)
    first, second = (set(choose(keys, subset=5000, seed=seed)) for seed in (1, 2))
    assert 1000 < len(first & second) < 1500  # as by chance
    # Some of the photos for training are still for tuning, which the same hash would not leave.
    tuning = photo_set.hold_out([key for key in keys if not is_validation(key, 0.02)])
    assert 0.015 < tuning.float().mean() < 0.025
    # Pinned: shards of tomorrow must hold out the same photos.
    assert [i for i in range(300) if is_validation(f"photo-{i}", 0.02)] == [
        52, 62, 116, 236, 278,
    ]  # fmt: skip


def test_one_photo_of_a_key_is_chosen_whatever_the_order():
    same = [Place("a", "in", suffix) for suffix in (".png", ".jpg", ".webp")]
    for order in itertools.permutations(same):
        tally = Tally()
        assert [p.suffix for p in choose_photos(order, Options(), tally)] == [".jpg"]
        assert tally.skipped == {"another photo has the key": 2}


def test_workers_change_nothing(tmp_path, imagenet, unbroken):
    pack(imagenet, tmp_path / "one", workers=1)
    assert files(tmp_path / "one") == files(unbroken)


def test_a_subset_is_packed(tmp_path, imagenet):
    options = Options(size=64, per_shard=5, validation=0.2, subset=9, seed=3)
    about = pack(imagenet, tmp_path / "out", options)
    assert sum(about["packed"].values()) == 9
    assert about["photos"] == 23
