"""Photos from tar files and folders, crops that are the photo's own, and gray as of old."""

import io
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from research.conftest import positions, scene
from tintype.color import luma
from tintype.errors import DataError
from tintype.research.data import photo_set


def png(rgb):
    """The bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def pack(path, members, mode="w:gz"):
    """A tar file with members (name, bytes)."""
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return str(path)


def set_of(folder, *photos):
    """Arrays (h, w, 3) uint8 as they come from a folder of PNG files."""
    for i, rgb in enumerate(photos):
        Image.fromarray(rgb).save(folder / f"{i}.png")
    return photo_set.load([str(folder)], size=256)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# --- load -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_photos_of_a_tar_file(tmp_path, mode):
    first, second = scene(30, 20, 0), scene(16, 24, 1)
    members = [("./a/one.png", png(first)), ("b/two.PNG", png(second)), ("notes.txt", b"no photo")]
    photos = photo_set.load([pack(tmp_path / "some.tar", members, mode)])
    assert photos.keys == ["a/one", "b/two"]
    np.testing.assert_array_equal(photos.photo(0), first)
    np.testing.assert_array_equal(photos.photo(1), second)


def test_photos_of_imagenets_class_folders(tmp_path):
    for name in ("n02/b.JPEG", "n01/a.png", "n01/deeper/c.webp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        kind = "JPEG" if name.endswith("JPEG") else None
        Image.fromarray(scene(24, 16, 0)).save(tmp_path / name, kind)
    (tmp_path / "n01" / "labels.csv").write_text("none")
    (tmp_path / "n01" / "folder.jpg").mkdir()
    photos = photo_set.load([str(tmp_path)])
    assert photos.keys == ["n01/a", "n01/deeper/c", "n02/b"]
    assert photos.photo(2).shape == (16, 24, 3)


def test_a_glob_takes_its_files_in_order_and_several_sources_follow_each_other(tmp_path):
    pack(tmp_path / "part-1.tar.gz", [("b.png", png(scene(8, 8, 1)))])
    pack(tmp_path / "part-0.tar.gz", [("a.png", png(scene(8, 8, 0)))])
    (tmp_path / "loose").mkdir()
    Image.fromarray(scene(8, 8, 2)).save(tmp_path / "loose" / "c.png")
    photos = photo_set.load([str(tmp_path / "part-*.tar.gz"), str(tmp_path / "loose")])
    assert photos.keys == ["a", "b", "c"]
    np.testing.assert_array_equal(photos.photo(1), scene(8, 8, 1))


def test_a_folder_whose_name_looks_like_a_pattern_is_found(tmp_path):
    folder = tmp_path / "photos [1]"
    folder.mkdir()
    Image.fromarray(scene(8, 8, 0)).save(folder / "a.png")
    assert photo_set.load([str(folder)]).keys == ["a"]


def test_gray_and_transparent_files_become_rgb(tmp_path):
    Image.fromarray(scene(9, 8, 0)).convert("L").save(tmp_path / "a.png")
    Image.fromarray(scene(9, 8, 0)).convert("RGBA").save(tmp_path / "b.png")
    photos = photo_set.load([str(tmp_path)])
    assert [photos.photo(i).shape for i in range(2)] == [(8, 9, 3)] * 2
    assert np.ptp(photos.photo(0), axis=-1).max() == 0


def bomb():
    """A small TIFF that claims to have 10^10 pixels."""
    buffer = io.BytesIO()
    Image.fromarray(scene(8, 8, 0)).save(buffer, "TIFF")
    content = bytearray(buffer.getvalue())
    start = int.from_bytes(content[4:8], "little")
    for entry in range(start + 2, len(content) - 12, 12):
        if int.from_bytes(content[entry : entry + 2], "little") in (256, 257):
            content[entry + 2 : entry + 4] = (4).to_bytes(2, "little")
            content[entry + 8 : entry + 12] = (100_000).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    "content", [b"", b"not a photo", png(scene(40, 40, 0))[:-400], bomb()],
    ids=["empty", "text", "cut", "bomb"],
)  # fmt: skip
def test_an_unreadable_photo_is_skipped_and_counted_on_stderr(tmp_path, capsys, content):
    (tmp_path / "a.png").write_bytes(content)
    Image.fromarray(scene(8, 8, 0)).save(tmp_path / "b.png")
    assert photo_set.load([str(tmp_path)]).keys == ["b"]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "skipped 1 unreadable photos\n"


@pytest.mark.parametrize("pattern", ["nothing-*.tar", "empty", "missing"])
def test_nothing_found(tmp_path, pattern):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected .*photos.*, found no"):
        photo_set.load([str(tmp_path / pattern)])


def test_a_file_that_is_no_tar_file(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(DataError, match=r"a\.tar: expected a tar .*, found a broken") as caught:
        photo_set.load([str(tmp_path / "a.tar")])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("harm", ["cut", "overwritten"])
def test_a_broken_tar_file(tmp_path, mode, harm):
    noise = np.random.default_rng(0).integers(0, 256, (10, 3000), dtype=np.uint8)
    members = [(f"{i}.png", row.tobytes()) for i, row in enumerate(noise)]
    path = tmp_path / "a.tar"
    pack(path, members, mode)
    content = path.read_bytes()
    middle = len(content) // 2
    rest = b"" if harm == "cut" else b"\xff" * 600 + content[middle + 600 :]
    path.write_bytes(content[:middle] + rest)
    with pytest.raises(DataError) as caught:
        photo_set.load([str(path)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("width", "height", "shape"), [
    (200, 100, (40, 80)), (100, 205, (82, 40)), (100, 199, (80, 40)),
    (41, 41, (40, 40)), (40, 300, (300, 40)),
    (30, 20, (20, 30)),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_short_side_is_limited(tmp_path, width, height, shape, kind):
    rgb = np.broadcast_to(np.uint8([200, 100, 50]), (height, width, 3))
    Image.fromarray(rgb).save(tmp_path / "a.png", kind)
    photo = photo_set.load([str(tmp_path)], size=40).photo(0)
    assert photo.shape == (*shape, 3)
    assert np.abs(photo.astype(int) - rgb[0, 0]).max() <= 2


def test_the_limit_counts_photos(tmp_path):
    photos = set_of(tmp_path, *(scene(8, 8, i) for i in range(5)))
    few = photo_set.load([str(tmp_path)], limit=3)
    assert few.keys == photos.keys[:3]
    assert len(few) == 3
    assert len(few.pixels) == 3 * 64


def test_a_set_of_several_sizes_gives_its_photos_back(tmp_path):
    given = [scene(7 + i, 12 - i, i) for i in range(6)]
    photos = set_of(tmp_path, *given).to(torch.device("cpu"))
    assert len(photos) == 6
    assert photos.pixels.shape == (sum(p.shape[0] * p.shape[1] for p in given), 3)
    for i, rgb in enumerate(given):
        np.testing.assert_array_equal(photos.photo(i), rgb)


# --- held out -------------------------------------------------------------------------------------


def test_about_two_percent_are_held_out():
    keys = [f"some/{i}" for i in range(20_000)]
    assert 0.017 < photo_set.hold_out(keys).float().mean() < 0.023
    assert 0.09 < photo_set.hold_out(keys, 0.1).float().mean() < 0.11


def test_what_is_held_out_goes_by_the_key_alone():
    keys = [f"photo-{i}" for i in range(500)]
    held = photo_set.hold_out(keys)
    order = torch.randperm(500, generator=seeded())
    assert torch.equal(photo_set.hold_out([keys[i] for i in order]), held[order])
    # Pinned: runs that go on tomorrow must hold out the same photos.
    assert held.nonzero()[:, 0].tolist() == [4, 25, 146, 263, 322, 356, 370, 439]


# --- crops ----------------------------------------------------------------------------------------


@pytest.fixture
def located(tmp_path):
    """Photos that say where each pixel is: one barely large enough, larger ones, a tall one."""
    shapes = [(16, 16), (40, 64), (31, 200), (90, 33)]
    return set_of(tmp_path, *(positions(h, w, i) for i, (h, w) in enumerate(shapes)))


def test_crops_have_their_shape_and_range(located):
    rgb = photo_set.cut_crops(located, torch.tensor([0, 1, 2, 3, 1]), 16, seeded())[0]
    assert rgb.shape == (5, 16, 16, 3)
    assert rgb.dtype == torch.float32
    assert rgb.min() >= 0
    assert rgb.max() <= 1


def test_crops_go_by_the_generator(located):
    index = torch.tensor([1, 2, 3] * 10)
    once, again, other = (photo_set.cut_crops(located, index, 16, seeded(s))[0] for s in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_crops_are_squares_of_the_photo_mirrored_or_at_half_scale(located):
    """Every crop is rebuilt from its first row's and column's position and its direction."""
    index = torch.arange(4).repeat(200)
    crops = (255 * photo_set.cut_crops(located, index, 16, seeded())[0]).double()
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
    crops = 255 * photo_set.cut_crops(located, torch.full((2000,), 1), 16, seeded())[0]
    scale = (crops[:, 1, 0, 0] - crops[:, 0, 0, 0]).round()
    mirrored = crops[:, 0, 1, 1] < crops[:, 0, 0, 1]
    assert 0.45 < (scale == 2).float().mean() < 0.55
    assert 0.45 < mirrored.float().mean() < 0.55


def test_photos_smaller_than_the_crop_are_enlarged(tmp_path):
    photos = set_of(tmp_path, positions(12, 40, 0), positions(40, 8, 1), positions(16, 16, 2))
    crops = 255 * photo_set.cut_crops(photos, torch.arange(3).repeat(50), 16, seeded())[0]
    within = torch.arange(1, 14)  # bilinear at the border repeats it
    for crop in (*crops[0::3], *crops[1::3]):
        for axis, steps in ((0, crop[1:, 0, 0] - crop[:-1, 0, 0]), (1, crop[0].diff(dim=0)[:, 1])):
            assert steps[within].abs().allclose(torch.full((13,), 0.5), atol=1e-3), axis
    assert crops[1::3][..., 1].max() <= 7.001
    for crop in crops[2::3]:  # large enough: pixels as they are
        assert (crop[1:, 0, 0] - crop[:-1, 0, 0]).allclose(torch.ones(15), atol=1e-3)


def test_photos_smaller_than_half_the_crop_repeat_their_border(tmp_path):
    photos = set_of(tmp_path, positions(5, 40, 0))
    crops = 255 * photo_set.cut_crops(photos, torch.zeros(20, dtype=torch.long), 16, seeded())[0]
    ends = torch.tensor([0.0, 0.25, 3.75, 4, 4, 4])
    for crop in crops:
        torch.testing.assert_close(crop[[0, 1, 8, 9, 12, 15], 0, 0], ends, atol=1e-3, rtol=0)


def test_labels_are_the_classes_of_sources_that_have_several(tmp_path):
    names = ["pets/dog/1", "pets/cat/2", "one/only/3", "loose", "pets/dog/4", "n01/6", "n02/7"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(positions(4, 4, 0)).save(tmp_path / f"{name}.png")
    photos = photo_set.load([str(tmp_path)])
    found = dict(zip(photos.keys, photos.labels.tolist(), strict=True))
    assert found == {
        "pets/dog/1": 3, "pets/cat/2": 2, "pets/dog/4": 3,
        "one/only/3": -1, "loose": -1, "n01/6": 0, "n02/7": 1,
    }  # fmt: skip


# --- gray as of old -------------------------------------------------------------------------------


def noise(batch, *, gray=False):
    """(batch, 8, 8, 3) random pixels, 0..1."""
    rgb = torch.rand(batch, 8, 8, 3, generator=seeded(5))
    return rgb[..., :1].expand(-1, -1, -1, 3).contiguous() if gray else rgb


def test_aged_photos_are_gray_and_in_range():
    gray = photo_set.augment_gray(noise(500), seeded())
    assert gray.shape == (500, 1, 8, 8)
    assert gray.min() >= 0
    assert gray.max() <= 1
    assert gray.isfinite().all()


def test_aged_photos_go_by_the_generator():
    rgb = noise(50)
    once, again, other = (photo_set.augment_gray(rgb, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_half_of_the_photos_are_plain_luma():
    """A gray photo does not show how its channels were mixed, so it shows the other changes."""

    def plain(rgb):
        changed = (photo_set.augment_gray(rgb, seeded())[:, 0] - luma(rgb)).abs().amax((1, 2))
        return changed < 1e-5

    otherwise_plain = plain(noise(6000, gray=True))
    untouched = 0.7 * 0.7 * 0.85 * 0.8 * 0.85  # no gamma, fade, blur, grain, compression
    assert otherwise_plain.float().mean() == pytest.approx(untouched, abs=0.02)
    both = plain(noise(6000))
    assert not (both & ~otherwise_plain).any()
    assert both[otherwise_plain].float().mean() == pytest.approx(0.5, abs=0.05)


def test_an_aged_photo_still_shows_its_subject():
    ramp = torch.linspace(0, 1, 64).expand(64, 64)
    aged = photo_set.augment_gray(ramp[None, ..., None].expand(200, -1, -1, 3), seeded()).flatten(1)
    assert torch.corrcoef(torch.cat([ramp.reshape(1, -1), aged]))[0, 1:].min() > 0.9


def test_compression_in_tiny_steps_changes_nothing():
    gray = torch.rand(3, 1, 24, 16, generator=seeded())
    same = photo_set._compress(gray, torch.full((3, 1, 1, 1), 1e-6))
    torch.testing.assert_close(same, gray, atol=1e-5, rtol=0)


def test_compression_in_large_steps_leaves_the_mean_of_a_block():
    gray = torch.rand(3, 1, 24, 16, generator=seeded())
    lost = photo_set._compress(gray, torch.full((3, 1, 1, 1), 0.5))
    assert (lost - gray).abs().mean() > 0.05
    means = [torch.nn.functional.avg_pool2d(x, 8) for x in (lost, gray)]
    torch.testing.assert_close(*means, atol=0.5 / 8 / 2 + 1e-5, rtol=0)
