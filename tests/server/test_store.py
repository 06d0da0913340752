"""Photos are kept for a while and in a bounded number."""

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from PIL import Image

from tintype import regions
from tintype.photo import read
from tintype.server.store import Sizes, Store


def of_bytes(count):
    return SimpleNamespace(bytes=count)


def of_encoding(sizes):
    """Bytes of features and luma, and of 64 regions, none larger than the luma."""
    features, luma = sizes.full.encoding.features, sizes.full.encoding.luma
    return sum(feature.nbytes for feature in features) + 65 * luma.nbytes


def test_regions_stay_within_what_is_counted(colorizer, monkeypatch):
    sizes = Sizes.of(colorizer.encode(np.zeros((32, 48), np.uint8)))
    before, luma = sizes.bytes, sizes.full.encoding.luma
    sizes.full.region(0.5, 0.25)
    assert [score.nbytes <= luma.nbytes for score in sizes.full.encoding.scores.values()] == [True]
    monkeypatch.setattr(regions, "measure_cues", lambda *_: np.zeros((3, 2, 2), np.float32))
    for k in range(70):
        sizes.full.region(k / 70, 0.5)
    assert list(sizes.preview.encoding.scores) == [(k / 70, 0.5) for k in range(6, 70)]
    assert sizes.bytes == before


def test_the_longest_unused_photos_are_forgotten():
    store = Store(count=2)
    one, two = store.add(of_bytes(1)), store.add(of_bytes(1))
    assert store.get(one) is not None
    three = store.add(of_bytes(1))
    assert store.get(two) is None
    assert store.get(one) is not None
    assert store.get(three) is not None
    assert len(store) == 2


def test_memory_is_bounded_but_the_newest_stays():
    store = Store(bytes=100)
    small, large = store.add(of_bytes(40)), store.add(of_bytes(500))
    assert store.get(small) is None
    assert store.get(large).bytes == 500
    assert store.get(store.add(of_bytes(10))).bytes == 10
    assert store.get(large) is None


def test_photos_are_forgotten_after_a_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    store = Store(seconds=10)
    name = store.add(of_bytes(1))
    now[0] += 9
    assert store.get(name) is not None
    now[0] += 9
    assert store.get(name) is not None
    now[0] += 11
    assert store.get(name) is None
    assert len(store) == 0


def test_names_cannot_be_guessed():
    store = Store()
    names = {store.add(of_bytes(1)) for _ in range(50)}
    assert len(names) == 50
    assert min(map(len, names)) >= 20


def test_sizes_share_features_and_count_bytes(colorizer):
    gray = np.random.default_rng(0).integers(0, 255, (400, 1600), dtype=np.uint8)
    sizes = Sizes.of(colorizer.encode(gray))
    assert sizes.preview.photo.size == (768, 192)
    assert sizes.thumbnail.photo.size == (192, 48)
    assert sizes.preview.encoding is sizes.full.encoding
    assert sizes.bytes == of_encoding(sizes) + 400 * 1600 + 768 * 192 + 192 * 48


def test_planes_of_16_bits_are_counted(colorizer):
    deep = np.random.default_rng(0).integers(0, 65536, (64, 80), np.uint16)
    photo = read(Image.fromarray(deep))
    photo = replace(photo, deep=deep, deep_alpha=deep.copy(), missing=deep > 0)
    sizes = Sizes.of(colorizer.encode(photo))
    assert sizes.bytes == of_encoding(sizes) + (1 + 2 + 2 + 1) * 64 * 80
