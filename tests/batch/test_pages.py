"""Pages of TIFFs and cut JPEGs, from the command to the files; notes are told."""

from pathlib import Path

import numpy as np
import photos
import pytest
import tifffile
from command import opened, tintype
from PIL import Image

from tintype import Colorizer, PhotoError
from tintype.batch import OutputOptions, Request, colorize
from tintype.photo import read

PAGES = [photos.gradient(40, 30), photos.gradient(40, 30)[::-1], photos.gradient(20, 16)]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A TIFF of three pages, the last one smaller, in a folder with a PNG and a cut JPEG."""
    folder = tmp_path / "in"
    folder.mkdir()
    with tifffile.TiffWriter(folder / "album.tif") as writer:
        for page in PAGES:
            writer.write(page, photometric="minisblack")
    Image.fromarray(PAGES[0]).save(folder / "one.png")
    noise = np.random.default_rng(0).integers(0, 99, (300, 400), np.uint8)
    Image.fromarray(noise).save(folder / "cut.jpg", quality=95)
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:-900])
    return folder


@pytest.mark.parametrize("words", [("album.tif", "--page", "all"), ("one.png",)])
def test_a_name_that_ends_with_a_slash_is_a_folder(album: Path, words: tuple[str, ...]) -> None:
    tintype("colorize", *words, "-o", "new/", cwd=album)
    made = sorted(path.name for path in (album / "new").iterdir())
    pages = [f"album.color-p{number}.tif" for number in (1, 2, 3)]
    assert made == (pages if words[0] == "album.tif" else ["one.color.png"])


def test_each_page_becomes_a_file(album: Path) -> None:
    done = tintype("colorize", "album.tif", "one.png", "--page", "all", cwd=album)
    for number, page in enumerate(PAGES, 1):
        luma = read(album / f"album.color-p{number}.tif").luma
        assert np.abs(luma.astype(int) - page).max() <= 1
    assert opened(album / "one.color.png").size == (40, 30)
    assert len(done.stderr.decode().splitlines()) == 4


def test_one_page_is_asked_for_and_the_largest_is_told(album: Path) -> None:
    done = tintype("colorize", "album.tif", "-o", "a.tif", cwd=album)
    told = b"tintype: album.tif: has 3 pages; the largest, page 1 (40 x 30), is colored;"
    assert done.stderr.startswith(told)
    tintype("colorize", "album.tif", "-o", "b.tif", "--page", "3", cwd=album)
    assert opened(album / "b.tif").size == (20, 16)
    done = tintype("colorize", "album.tif", "-o", "c.tif", "--page", "4", cwd=album, status=1)
    assert b"expected page 1 to 3, found page 4" in done.stderr
    for text in ("0", "-1", "x", "1.5"):
        done = tintype("colorize", "album.tif", "--page", text, cwd=album, status=2)
        assert b"expected a page's number, from 1, or all" in done.stderr


def test_all_pages_need_files_in_a_list(album: Path) -> None:
    for name, output in (("-", None), (album, "out"), (album / "album.tif", "-")):
        with pytest.raises(ValueError, match=r"expected .* with all pages, found"):
            Request(str(name), output, all_pages=True).locate()


def test_all_pages_of_a_folder_are_had_by_naming_its_photos(album: Path) -> None:
    words = ("--page", "all", "-o", "out/")
    done = tintype("colorize", "in", *words, cwd=album.parent, status=2)
    assert b"found a folder; name its photos: FOLDER/*.tif -o OUT" in done.stderr.splitlines()[-1]
    tintype("colorize", *album.glob("*.tif"), *words, cwd=album.parent)
    assert len(list((album.parent / "out").iterdir())) == 3


def test_what_is_cut_is_colored_to_salvage_it(album: Path, colorizer: Colorizer) -> None:
    said: list[str] = []
    request = Request([album / "cut.jpg"], album / "a.jpg", colorizer=colorizer)
    assert "--salvage" in colorize(request).failures[0]
    options = OutputOptions(salvage=True)
    request = Request([album / "cut.jpg"], album / "a.jpg", options=options, colorizer=colorizer)
    assert colorize(request, report=said.append).failures == []
    assert said[0].endswith("cut.jpg: its end is missing; what is missing is gray")
    with pytest.raises(PhotoError):
        read(album / "cut.jpg")


def test_a_folder_tells_notes_at_its_end(album: Path, colorizer: Colorizer) -> None:
    said: list[str] = []
    request = Request(album, album / "out", colorizer=colorizer)
    colorize(request, report=said.append)
    assert "cut.jpg: expected" in said[0]
    assert "album.tif: has 3 pages" in said[1]
    assert said[2].startswith("2 colored into")


def test_what_decides_bytes_is_known_to_the_manifest_only_where_it_is_asked_for() -> None:
    assert set(OutputOptions().about()) == {"alternatives", "quality", "strip_metadata"}
    assert OutputOptions(page=2).about()["page"] == 2
    assert OutputOptions(salvage=True).about()["salvage"] is True
