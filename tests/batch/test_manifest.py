"""The manifest of a folder: what its lines say, and what is done again because of them."""

import hashlib
import os
from pathlib import Path

import pytest
from tiny import ASKED, Quick, color, draw, files, lines

from tintype import FolderError
from tintype.batch.folder import Target
from tintype.photo import Photo


def test_a_line_says_what_became_of_a_photo(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(scans, out, compare=True)
    head, *_ = lines(out)
    assert head["tintype"] == 1
    assert head["asked"].items() >= ASKED.items()
    done = {line["input"]: line for line in lines(out, "ok")}
    assert sorted(done) == ["a.jpg", "b.png", "roll/c.jpg"]
    for name, line in done.items():
        data = (scans / name).read_bytes()
        assert line["sha256"] == hashlib.sha256(data).hexdigest()
        assert line["bytes"] == len(data)
        assert (line["recipe"], line["model"]) == (head["recipe"], "fake")
        assert line["output"] in line["files"]
        assert len(line["files"]) == 2
        for path, (size, when) in line["files"].items():
            about = (out / path).stat()
            assert (about.st_size, about.st_mtime_ns) == (size, when)
        assert line["milliseconds"] >= 0
        assert line["reason"] is line["reached"] is None


def test_only_what_is_missing_is_colored(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert color(scans, out, recursive=False)[0] == 2
    assert color(scans, out)[0] == 1
    assert color(scans, out)[0] == 0
    (out / "b.color.png").unlink()
    draw(scans / "new.png")
    assert color(scans, out)[0] == 2
    assert color(scans, out, compare=True)[0] == 4  # the sheets are missing
    assert color(scans, out)[0] == 0


def test_what_changed_is_done_again(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(scans, out)
    first = files(out)
    draw(scans / "a.jpg", 99)
    assert color(scans, out) == (1, [])
    assert files(out)["a.color.jpg"] != first["a.color.jpg"]
    os.utime(scans / "b.png", ns=(0, 0))  # touched or copied, not changed
    assert color(scans, out)[0] == 0
    assert color(scans, out, asked=ASKED | {"edits": [{"shift_hue": 9}]}) == (3, [])
    assert color(scans, out, quality=20, asked=ASKED | {"edits": [{"shift_hue": 9}]}) == (3, [])
    assert color(scans, out, asked=ASKED | {"model": "other"}) == (3, [])


def test_files_of_others_are_never_replaced_unless_told(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.color.jpg").write_bytes(b"mine")
    calls, (failure,) = color(scans, out)
    assert calls == 2
    assert "a.color.jpg: expected no such file, found one; --overwrite" in failure
    calls, (failure,) = color(scans, out)
    assert calls == 0
    assert (out / "a.color.jpg").read_bytes() == b"mine"
    assert color(scans, out, overwrite=True) == (1, [])
    assert color(scans, out, asked=ASKED | {"model": "other"}) == (3, [])  # now it is ours


def test_a_result_that_was_retouched_is_no_longer_ours(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(scans, out)
    (out / "a.color.jpg").write_bytes(b"retouched")
    assert color(scans, out) == (0, [])
    calls, failures = color(scans, out, asked=ASKED | {"model": "other"})
    assert (calls, len(failures)) == (2, 1)
    assert (out / "a.color.jpg").read_bytes() == b"retouched"


def test_a_file_without_its_line_is_ours_if_it_was_begun(scans: Path, tmp_path: Path) -> None:
    """As after a kill between the file and the line, which is torn too."""
    out = tmp_path / "out"
    color(scans, out)
    path = out / "manifest.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:-9])
    (out / "roll" / ".tintype-0123456789abcdef.part").write_bytes(b"half")
    assert color(scans, out) == (1, [])
    assert sorted(files(out)) == [
        "a.color.jpg",
        "b.color.png",
        "manifest.jsonl",
        "roll/c.color.jpg",
    ]
    assert [line["input"] for line in lines(out, "ok")] == ["a.jpg", "b.png", "roll/c.jpg"]


def test_every_torn_manifest_is_mended(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(scans, out)
    data = (out / "manifest.jsonl").read_bytes()
    for length in [*range(0, 60, 7), *range(60, len(data), 97)]:
        (out / "manifest.jsonl").write_bytes(data[:length])
        for file in out.rglob("*.color.*"):  # those that it knows nothing of are not ours
            file.unlink()
        assert color(scans, out) == (3, [])
        assert len({line["input"] for line in lines(out, "ok")}) == 3


@pytest.mark.parametrize(
    "text", ["{}\n", "[1]\n", "hello", '{"a": 1}', "\0\0\n", '{"tintype": 2}\n', "1\n\n"]
)
def test_a_manifest_that_is_not_ours_is_refused_and_kept(
    scans: Path, tmp_path: Path, text: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.jsonl").write_text(text)
    with pytest.raises(FolderError, match=r"manifest.jsonl: expected a line .* on line 1, found"):
        color(scans, out)
    assert files(out).keys() == {"manifest.jsonl"}
    assert (out / "manifest.jsonl").read_text() == text


def test_results_of_another_folder_are_not_mixed_in(scans: Path, tmp_path: Path) -> None:
    draw(tmp_path / "other" / "a.jpg", 7)
    out = tmp_path / "out"
    color(scans, out)
    before = files(out)
    with pytest.raises(FolderError, match=r"expected the results of .*other, found those of"):
        color(tmp_path / "other", out)
    assert files(out) == before
    scans.rename(tmp_path / "moved")
    assert color(tmp_path / "moved", out, overwrite=True) == (0, [])
    assert color(tmp_path / "moved", out) == (0, [])


def test_one_run_at_a_time(scans: Path, tmp_path: Path) -> None:
    class Nested(Quick):
        def __call__(self, photo: Photo, target: Target):  # type: ignore[no-untyped-def]
            with pytest.raises(FolderError, match="expected no other run"):
                color(scans, tmp_path / "out")
            yield from super().__call__(photo, target)

    assert color(scans, tmp_path / "out", Nested()) == (3, [])
