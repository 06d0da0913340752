"""Photos from tar files and folders, crops that are the photo's own, and gray as of old."""

import io
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from research.conftest import scene, seeded
from research.data.conftest import png, set_of
from tintype.errors import DataError
from tintype.research.data import photo_set


def pack(path, members, mode="w:gz"):
    """A tar file with members (name, bytes)."""
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return str(path)


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


def test_a_photo_that_may_not_be_read_is_skipped(tmp_path, monkeypatch, capsys):
    Image.fromarray(scene(8, 8, 0)).save(tmp_path / "a.png")
    Image.fromarray(scene(8, 8, 1)).save(tmp_path / "b.png")
    opened = io.open

    def open_but(file, *more, **named):  # root may read whatever the file's rights are
        if str(file).endswith("a.png"):
            raise PermissionError(13, "Permission denied", str(file))
        return opened(file, *more, **named)

    for module in ("builtins", "io"):
        monkeypatch.setattr(f"{module}.open", open_but)
    assert photo_set.load([str(tmp_path)]).keys == ["b"]
    assert capsys.readouterr().err == "skipped 1 unreadable photos\n"


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
    assert len(photo_set.hold_out(["no UTF-8: \udcff"])) == 1  # as a file may be called
    # Pinned: runs that go on tomorrow must hold out the same photos.
    assert held.nonzero()[:, 0].tolist() == [4, 25, 146, 263, 322, 356, 370, 439]


# --- labels ---------------------------------------------------------------------------------------


def test_labels_are_the_classes_of_sources_that_have_several(tmp_path):
    names = ["pets/dog/1", "pets/cat/2", "one/only/3", "loose", "pets/dog/4", "n01/6", "n02/7"]
    names += ["pets/photo/8"]  # whose class is not known
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(4, 4, 0)).save(tmp_path / f"{name}.png")
    photos = photo_set.load([str(tmp_path)])
    found = dict(zip(photos.keys, photos.labels.tolist(), strict=True))
    assert found == {
        "pets/dog/1": 3, "pets/cat/2": 2, "pets/dog/4": 3,
        "one/only/3": -1, "loose": -1, "n01/6": 0, "n02/7": 1, "pets/photo/8": -1,
    }  # fmt: skip
