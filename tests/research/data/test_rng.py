"""Random numbers: one source for a batch, or what a photo draws wherever it is."""

import pytest
import torch

from research.conftest import scene, seeded
from tintype.research.data import aging, augmentation, photo_set, rng
from tintype.research.methods.palettes import Palettes
from tintype.research.methods.tintype import Config, objective

PHOTOS = [(0, 3), (0, 4), (1, 3), (0, 900), (2, 17), (2, 18)]  # an epoch and a number


def test_a_photo_draws_by_its_number_its_epoch_and_the_seed():
    first = {
        (seed, photo): float(rng.uniform(rng.make_generators(seed, [photo]), 1))
        for seed in (0, 1, -1)
        for photo in PHOTOS
    }
    assert len(set(first.values())) == 3 * len(PHOTOS)
    again = rng.uniform(rng.make_generators(1, PHOTOS), len(PHOTOS))
    assert again.tolist() == [first[1, photo] for photo in PHOTOS]


@pytest.mark.parametrize("draw", [rng.uniform, rng.normal])
def test_numbers_of_many_photos_spread_as_those_of_one_source(draw):
    keyed = draw(rng.make_generators(0, [(0, i) for i in range(2000)]), 2000, 4)
    plain = draw(seeded(), 2000, 4)
    assert keyed.shape == plain.shape
    for one, other in ((keyed, plain), (keyed.diff(dim=0), plain.diff(dim=0))):
        assert float(one.mean()) == pytest.approx(float(other.mean()), abs=0.05)
        assert float(one.std()) == pytest.approx(float(other.std()), rel=0.05)


@pytest.mark.parametrize("cut", [2, 4])
def test_crops_aging_and_wishes_do_not_depend_on_the_batch(cut):
    made = [scene(20 + 9 * i, 70 - 9 * i, i) for i in range(6)]
    photos = photo_set.PhotoSet.from_arrays(made, list("abcdef"))
    bins = Config().bins
    parts = torch.rand(2, 6, 4, bins.count, generator=seeded()).softmax(3)
    rows = torch.arange(6)
    found = []
    for index in (rows, rows[:cut], rows[cut:]):
        generators = rng.make_generators(0, [PHOTOS[i] for i in index.tolist()])
        rgb = augmentation.cut_crops(photos, index, 32, generators)
        rgb = aging.mount(aging.balance(rgb, generators), generators)
        gray = aging.age(rgb, generators)
        pair = (Palettes.join(own[index]) for own in parts)
        wanted, degrees, free = objective.sample_targets(bins, *pair, generators)
        found.append((rgb, gray, wanted.parts, degrees, free))
    whole, *pieces = found
    for one, *split in zip(whole, *pieces, strict=True):
        assert torch.equal(one, torch.cat(split))


def test_partners_are_others_and_stay_together():
    values = torch.arange(7)
    assert rng.swap_partners(seeded(), values).tolist() == [6, 0, 1, 2, 3, 4, 5]
    keyed = rng.make_generators(0, [(0, i) for i in range(7)])
    assert rng.swap_partners(keyed, values).tolist() == [1, 0, 3, 2, 5, 4, 6]
