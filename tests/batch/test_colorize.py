"""The library call: where photos lie and what runs them are independent of each other."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest
from actors import results, tarred
from command import opened, tintype
from skimage import data
from tiny import draw, files

from tintype import Colorizer, PaletteError, Recipe
from tintype.batch import Local, OutputOptions, Ray, Reference, Request, colorize, watch
from tintype.batch.one_photo import _describe_reached


@pytest.fixture
def bucket() -> Iterator[str]:
    """The URL of a store in the memory of this process."""
    memory = fsspec.filesystem("memory")
    yield "memory://bucket"
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


@pytest.fixture
def plain(scans: Path, tmp_path: Path, colorizer: Colorizer) -> dict[str, str]:
    """What a folder's photos become."""
    request = Request(scans, tmp_path / "plain", recursive=True, colorizer=colorizer)
    summary = colorize(request)
    assert (summary.colored, summary.unchanged, summary.failures) == (3, 0, [])
    assert colorize(request).unchanged == 3
    return results(tmp_path / "plain")


def test_a_folder_is_colored_as_by_the_command(
    scans: Path, tmp_path: Path, plain: dict[str, str]
) -> None:
    tintype("colorize", scans, "-o", "out", "--recursive", cwd=tmp_path)
    assert results(tmp_path / "out") == plain


def test_a_line_says_how_far_the_colors_went() -> None:
    said = {share: _describe_reached(share) for share in (None, -0.4, 0.0, 0.5, 1.2)}
    assert said == {
        None: "",
        -0.4: " (reached none of it: went past it, or elsewhere)",
        0.0: " (hardly reached)",
        0.5: " (reached 50%)",
        1.2: " (reached 100%)",
    }


def test_a_list_of_photos_is_told_one_by_one(
    scans: Path, tmp_path: Path, colorizer: Colorizer
) -> None:
    said: list[str] = []
    photos = [scans / "a.jpg", scans / "gone.jpg", scans / "b.png"]
    request = Request(photos, tmp_path / "out", colorizer=colorizer)
    summary = colorize(request, report=said.append)
    assert summary.colored == 2
    assert summary.failures == [said[1]]
    assert [line.partition(":")[0].partition(" ->")[0] for line in said] == list(map(str, photos))
    assert sorted(files(tmp_path / "out")) == ["a.color.jpg", "b.color.png"]


def test_one_photo_by_a_recipe_which_is_saved(
    scans: Path, tmp_path: Path, colorizer: Colorizer
) -> None:
    recipe = Recipe(vividness=0.9)
    request = Request(
        scans / "a.jpg",
        tmp_path / "a.jpg",
        recipe=recipe,
        save_recipe=tmp_path / "r.json",
        colorizer=colorizer,
    )
    assert colorize(request).colored == 1
    again = Recipe.load(tmp_path / "r.json")
    assert again.vividness == 0.9
    assert again.model == colorizer.model.fingerprint
    assert colorize(Request(scans / "a.jpg", tmp_path / "b.jpg", recipe=again)).colored == 1
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()


@pytest.mark.parametrize("workers", [1, 2])
def test_tar_files_need_no_cluster(
    scans: Path, tmp_path: Path, plain: dict[str, str], workers: int, colorizer: Colorizer
) -> None:
    contents = {name: (scans / name).read_bytes() for name in files(scans)}
    tar, out = tarred(tmp_path / "tars" / "x.tar", contents), tmp_path / "out"
    request = Request(tar, out, runner=Local(workers=workers), colorizer=colorizer)
    assert colorize(request).colored == 3
    assert results(out) == plain
    assert colorize(request).unchanged == 3
    both = Request(tar.parent, tmp_path / "both", colorizer=colorizer)
    assert colorize(both).colored == 3
    assert results(tmp_path / "both") == {f"x.tar/{name}": hash for name, hash in plain.items()}


@pytest.mark.parametrize("workers", [1, 2])
def test_stores_need_no_cluster(
    scans: Path, tmp_path: Path, plain: dict[str, str], bucket: str, workers: int,
    colorizer: Colorizer,
) -> None:  # fmt: skip
    runner = Local(workers=workers)
    up = Request(scans, bucket, recursive=True, runner=runner, colorizer=colorizer)
    assert colorize(up).colored == 3
    assert colorize(up).unchanged == 3
    fsspec.filesystem("memory").get(bucket, str(tmp_path / "up"), recursive=True)
    assert results(tmp_path / "up") == plain
    fsspec.filesystem("memory").put(str(scans), "/in", recursive=True)
    down = Request("memory://in", tmp_path / "down", recursive=True, runner=runner)
    assert colorize(down).colored == 3
    assert results(tmp_path / "down") == plain


def test_an_album_and_what_goes_between_two_palettes(
    scans: Path, tmp_path: Path, colorizer: Colorizer
) -> None:
    contents = {name: (scans / name).read_bytes() for name in files(scans)}
    tar = tarred(tmp_path / "x.tar", contents)
    for source, out in ((scans, tmp_path / "one"), (tar, tmp_path / "two")):
        request = Request(source, out, recursive=True, album=True, cohesion=1, colorizer=colorizer)
        assert colorize(request).colored == 3
    assert results(tmp_path / "one") == results(tmp_path / "two")
    ends = (colorizer.encode(scans / "a.jpg").palette, tmp_path / "one" / "album.json")
    out = tmp_path / "three"
    request = Request(scans, out, recursive=True, interpolation=ends, colorizer=colorizer)
    assert colorize(request).colored == 3


def test_a_reference_needs_no_model(tmp_path: Path) -> None:
    photo = draw(tmp_path / "x.png")
    reference = Reference(data.coffee())
    assert colorize(Request(photo, tmp_path / "y.png", reference=reference)).colored == 1
    assert np.ptp(np.asarray(opened(tmp_path / "y.png"))[10, 10].astype(int)) > 0


def test_what_does_not_go_together_is_refused(
    scans: Path, tmp_path: Path, colorizer: Colorizer
) -> None:
    out = tmp_path / "out"
    for request, message in (
        (Request([scans / "a.jpg"], album=True), "expected a folder with album"),
        (Request([scans, scans], out), "expected one folder or a list"),
        (Request(scans), "expected -o OUT"),
        (Request(scans, scans), "found it itself"),
        (Request(scans, out, album=True, runner=Ray()), "expected no album with Ray"),
        (Request(scans, out, save_recipe=out), "expected one photo with save_recipe"),
    ):
        with pytest.raises(ValueError, match=message):
            colorize(request)
    with pytest.raises(ValueError, match="expected a folder on a disk to watch"):
        watch(Request([scans / "a.jpg"]))
    chosen = Request(
        scans, out, album=True, recipe=Recipe(alternative=1), colorizer=colorizer,
        options=OutputOptions(quality=80),
    )  # fmt: skip
    with pytest.raises(PaletteError, match="expected edits alone beside an album"):
        colorize(chosen)
    assert not out.exists()
