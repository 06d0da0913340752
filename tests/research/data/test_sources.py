"""Where photos for a pack come from: folders, tar files, and names of no use."""

import io
import os
import tarfile

import pytest
from PIL import Image

from research.conftest import scene
from research.data.conftest import draw_photos, files, pack, shards, write_tar
from tintype.errors import DataError
from tintype.research.data import ledger, packing, photo_set, sources
from tintype.research.data.packing import Options


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_file_gives_what_its_folder_gives(tmp_path, imagenet, unbroken, mode):
    pack(write_tar(imagenet, tmp_path / "some.tar", mode), tmp_path / "out")
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
        listed = list(sources.find_photos([str(imagenet)], tmp_path))
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
    about = pack(tmp_path / "in.tar", tmp_path / "out", Options(validation=0))
    assert about["skipped"]["name leads out of the folder"]["photos"] == 3
    assert sorted(photo_set.load([shards(tmp_path / "out")]).keys) == ["a/fine", "a/fine."]


def test_a_name_that_is_no_utf8(tmp_path):
    (tmp_path / "in").mkdir()
    photo = io.BytesIO()
    Image.fromarray(scene(80, 70, 0)).save(photo, "PNG")
    (tmp_path / "in" / os.fsdecode(b"caf\xe9.png")).write_bytes(photo.getvalue())
    assert pack(tmp_path / "in", tmp_path / "out", Options(validation=0))["packed"]["train"] == 1
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
        pack(tmp_path / name, tmp_path / "out")
    assert "\n" not in str(caught.value)
    (tmp_path / "right").mkdir()
    Image.fromarray(scene(80, 70, 0)).save(tmp_path / "right" / "a.png")
    pack(tmp_path / "right", tmp_path / "out")  # a slip of the pen binds nobody


def test_photos_that_have_gone_since_they_were_listed_stop_the_pack(tmp_path, monkeypatch):
    folder = draw_photos(tmp_path / "in", 5)
    plan_shards = packing.plan_shards

    def going(*given):
        (folder / "n02" / "1.JPEG").unlink()
        return plan_shards(*given)

    monkeypatch.setattr(packing, "plan_shards", going)
    with pytest.raises(DataError, match=r"expected n02/1\.JPEG as it was listed, found nothing"):
        pack(folder, tmp_path / "out")
