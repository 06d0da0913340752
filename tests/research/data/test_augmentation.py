"""Crops of photos: where they lie, at which scale, mirrored or not."""

import pytest
import torch

from research.conftest import positions, seeded
from research.data.conftest import set_of
from tintype.research.data.augmentation import cut_crops


@pytest.fixture
def located(tmp_path):
    """Photos that say where each pixel is: one barely large enough, larger ones, a tall one."""
    shapes = [(16, 16), (40, 64), (31, 200), (90, 33)]
    return set_of(tmp_path, *(positions(h, w, i) for i, (h, w) in enumerate(shapes)))


def test_crops_have_their_shape_and_range(located):
    rgb = cut_crops(located, torch.tensor([0, 1, 2, 3, 1]), 16, seeded())
    assert rgb.shape == (5, 16, 16, 3)
    assert rgb.dtype == torch.float32
    assert rgb.min() >= 0
    assert rgb.max() <= 1


def test_crops_go_by_the_generator(located):
    index = torch.tensor([1, 2, 3] * 10)
    once, again, other = (cut_crops(located, index, 16, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_crops_are_squares_of_the_photo_mirrored_or_at_half_scale(located):
    """Every crop is rebuilt from its first row's and column's position and its direction."""
    index = torch.arange(4).repeat(200)
    crops = (255 * cut_crops(located, index, 16, seeded())).double()
    kinds, tops, lefts = set(), {i: set() for i in range(4)}, {i: set() for i in range(4)}
    for photo, crop in zip(index.tolist(), crops, strict=True):
        height, width = int(located.height[photo]), int(located.width[photo])
        scale = round(float(crop[1, 0, 0] - crop[0, 0, 0]))
        mirrored = bool(crop[0, 1, 1] < crop[0, 0, 1])
        top = float(crop[0, 0, 0]) - (scale - 1) / 2
        left = float(crop[0, :, 1].min()) - (scale - 1) / 2
        assert scale in (1, 2)
        assert abs(top - round(top)) + abs(left - round(left)) < 1e-3
        assert -1e-3 < top < height - 16 * scale + 1e-3
        assert -1e-3 < left < width - 16 * scale + 1e-3
        steps = scale * torch.arange(16).double() + (scale - 1) / 2
        columns = left + (steps.flip(0) if mirrored else steps)
        expected = torch.stack(torch.broadcast_tensors(
            (top + steps)[:, None], columns[None], torch.tensor(float(photo)).double()
        ), dim=-1)  # fmt: skip
        torch.testing.assert_close(crop, expected, atol=1e-3, rtol=0)
        kinds.add((photo, scale, mirrored))
        if scale == 1:
            tops[photo].add(round(top))
            lefts[photo].add(round(left))
    whole = {(photo, 1, mirrored) for photo in range(4) for mirrored in (False, True)}
    half = {(photo, 2, mirrored) for photo in (1, 3) for mirrored in (False, True)}
    assert kinds == whole | half  # at half scale only where the photo is twice as large
    assert tops[0] == lefts[0] == {0}
    assert {min(tops[1]), max(tops[1])} == {0, 40 - 16}
    assert tops[2] == set(range(31 - 16 + 1))


def test_every_other_crop_of_a_large_photo_is_at_half_scale(located):
    crops = 255 * cut_crops(located, torch.full((2000,), 1), 16, seeded())
    scale = (crops[:, 1, 0, 0] - crops[:, 0, 0, 0]).round()
    mirrored = crops[:, 0, 1, 1] < crops[:, 0, 0, 1]
    assert 0.45 < (scale == 2).float().mean() < 0.55
    assert 0.45 < mirrored.float().mean() < 0.55


def test_photos_smaller_than_the_crop_are_enlarged(tmp_path):
    photos = set_of(tmp_path, positions(12, 40, 0), positions(40, 8, 1), positions(16, 16, 2))
    crops = 255 * cut_crops(photos, torch.arange(3).repeat(50), 16, seeded())
    within = torch.arange(1, 14)  # bilinear at the border repeats it
    for crop in (*crops[0::3], *crops[1::3]):
        for axis, steps in ((0, crop[1:, 0, 0] - crop[:-1, 0, 0]), (1, crop[0].diff(dim=0)[:, 1])):
            assert steps[within].abs().allclose(torch.full((13,), 0.5), atol=1e-3), axis
    assert crops[1::3][..., 1].max() <= 7.001
    for crop in crops[2::3]:  # large enough: pixels as they are
        assert (crop[1:, 0, 0] - crop[:-1, 0, 0]).allclose(torch.ones(15), atol=1e-3)


def test_photos_smaller_than_half_the_crop_repeat_their_border(tmp_path):
    photos = set_of(tmp_path, positions(5, 40, 0))
    crops = 255 * cut_crops(photos, torch.zeros(20, dtype=torch.long), 16, seeded())
    ends = torch.tensor([0.0, 0.25, 3.75, 4, 4, 4])
    for crop in crops:
        torch.testing.assert_close(crop[[0, 1, 8, 9, 12, 15], 0, 0], ends, atol=1e-3, rtol=0)
