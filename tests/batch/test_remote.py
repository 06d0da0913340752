"""Tar files and stores: what is read, written and gone on with; in this process, without actors."""

import gzip
import io
import itertools
import os
import tarfile
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from actors import results, tarred
from command import opened
from fsspec import AbstractFileSystem
from tiny import ASKED, Quick, color, draw, files, locate

from tintype.batch import runner
from tintype.batch.location import Location
from tintype.batch.manifest import Outcome
from tintype.batch.request import OutputOptions
from tintype.batch.storage import Storage
from tintype.errors import FolderError


@pytest.fixture
def store() -> Iterator[AbstractFileSystem]:
    """A store in the memory of this process."""
    memory = fsspec.filesystem("memory")
    yield memory
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def run(
    source: object,
    out: object,
    *,
    asked: dict[str, Any] = ASKED,
    workers: int = 1,
    **options: Any,
) -> tuple[int, list[str]]:
    """Color by a quick method: how many were colored now, and the failures."""
    where = locate(source, out)
    summary = runner.run_location(Quick(), OutputOptions(**options), where, asked, workers=workers)
    return summary.colored, summary.failures


def test_a_run_goes_on_where_another_of_either_kind_ended(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(scans, out) == (3, [])
    assert color(scans, out) == (0, [])
    draw(scans / "d.png", 4)
    assert color(scans, out) == (1, [])
    draw(scans / "a.jpg", 77)
    assert run(scans, out) == (1, [])
    assert run(scans, out, asked=ASKED | {"model": "other"}) == (4, [])


def test_files_of_others_are_never_replaced_unless_told(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(scans, out)
    (out / "a.color.jpg").write_bytes(b"retouched")
    count, (failure,) = run(scans, out, asked=ASKED | {"model": "other"})
    assert count == 2
    assert f"{out}/a.color.jpg: expected no such file, found one; --overwrite" in failure
    assert (out / "a.color.jpg").read_bytes() == b"retouched"
    assert run(scans, out, asked=ASKED | {"model": "other"}, overwrite=True) == (1, [])


def test_a_tar_file_is_gone_on_with_and_may_come_alone(scans: Path, tmp_path: Path) -> None:
    color(scans, tmp_path / "plain")
    contents = {name: (scans / name).read_bytes() for name in files(scans)}
    path, out = tarred(tmp_path / "photos.tar", contents), tmp_path / "out"
    assert run(path, out) == (3, [])
    assert results(out) == results(tmp_path / "plain")
    assert run(path, out) == (0, [])
    tarred(path, contents | {"a.jpg": draw(tmp_path / "x.jpg", 99, (50, 40)).read_bytes()})
    assert run(path, out) == (1, [])
    os.utime(path, ns=(1, 1))
    assert run(path, out) == (0, [])  # as the members have times of their own
    assert opened(out / "a.color.jpg").size == (50, 40)
    path.write_bytes(gzip.compress(path.read_bytes()))
    count, (failure,) = run(path, out)
    assert count == 0
    assert failure.startswith(f"{path}: expected a tar file, whole and not compressed, found")


def dumped(path: Path, *members: tuple[str, int, bytes, bytes | str]) -> Path:
    """A tar file of members: name, time, kind, and content or what a link leads to."""
    with tarfile.open(path, "w") as tar:
        for name, when, kind, content in members:
            about = tarfile.TarInfo(name)
            about.type, about.mtime = kind, when
            if isinstance(content, str):
                about.linkname, content = content, b""
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return path


def test_a_tar_file_loses_nothing_in_silence(scans: Path, tmp_path: Path) -> None:
    photo, out = (scans / "a.jpg").read_bytes(), tmp_path / "out"
    path = dumped(
        tmp_path / "odd.tar",
        ("abs.jpg", 5, tarfile.REGTYPE, photo),
        ("/abs.jpg", 5, tarfile.REGTYPE, photo),
        ("./hard.jpg", 5, tarfile.LNKTYPE, "abs.jpg"),
        ("soft.jpg", 5, tarfile.SYMTYPE, "abs.jpg"),
        ("far.jpg", 5, tarfile.LNKTYPE, "elsewhere.jpg"),
        ("notes", 5, tarfile.SYMTYPE, "abs.jpg"),
        ("../two\nlines.jpg", 5, tarfile.REGTYPE, photo),
    )
    where = locate(path, out)
    assert where.find_photos().names == ["abs.jpg", "hard.jpg"]
    said: list[str] = []
    runner.run_location(Quick(), OutputOptions(), where, ASKED, report=said.append)
    assert [line.partition(": ")[2] for line in said[:-1]] == [
        "expected names in it, found ../two lines.jpg, which leads out; rename it",
        "expected names in it, found /abs.jpg, which leads out; rename it",
        "expected photos themselves, found 2 as links or devices (soft.jpg, far.jpg); pack what "
        "these lead to",
    ]
    assert said[-1].startswith("2 colored")
    assert sorted(results(out)) == ["abs.color.jpg", "hard.color.jpg"]


def test_members_without_a_time_have_the_tar_files(scans: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        photo = (scans / "a.jpg").read_bytes() + bytes((number,))
        path = dumped(tmp_path / "x.tar", ("a.jpg", 0, tarfile.REGTYPE, photo))
        os.utime(path, ns=(number * 10**9, number * 10**9))
        assert run(path, tmp_path / "out") == (1, [])
        assert run(path, tmp_path / "out") == (0, [])


def test_two_of_one_name_in_a_store_are_told(
    store: AbstractFileSystem, scans: Path, tmp_path: Path
) -> None:
    store.put(str(scans), "/s", recursive=True)
    store.store["/s/roll//c.jpg"] = store.store["/s/roll/c.jpg"]  # as S3 may have it
    count, (failure,) = run("memory://s", tmp_path / "out")
    assert count == 3
    assert failure.endswith("c.jpg: expected one roll/c.jpg, found another; rename it")


def test_what_a_store_cannot_tell_of_is_not_left_there(
    store: AbstractFileSystem, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(store).info

    def info(self: AbstractFileSystem, path: str, **options: Any) -> Any:
        if path.endswith("a.color.jpg"):
            raise OSError("no answer")
        return real(self, path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "info", info)
        count, (failure,) = run(scans, "memory://out")
    assert count == 2
    assert failure.endswith("expected to write memory://out/a.color.jpg, found: no answer")
    assert run(scans, "memory://out") == (1, [])


def test_ctrl_c_while_a_store_is_down_is_ctrl_c(
    store: AbstractFileSystem, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(*_: Any) -> None:
        raise OSError("down")

    def outcomes(*_: Any) -> Generator[Outcome, None, None]:
        monkeypatch.setattr(type(store), "put_file", put)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(runner, "_color_begun", outcomes)
    with pytest.raises(KeyboardInterrupt):
        run(scans, "memory://out")


def test_a_stores_manifest_is_called_as_there(store: AbstractFileSystem, scans: Path) -> None:
    store.pipe_file("/out/manifest.jsonl", b"mine\n")
    with pytest.raises(FolderError, match=r"^memory://out/manifest.jsonl: expected a line"):
        run(scans, "memory://out")


def test_a_store_holds_what_a_folder_would(
    store: AbstractFileSystem, scans: Path, tmp_path: Path
) -> None:
    for name in (".hidden.jpg", ".cache/x.jpg", "@eaDir/x.jpg"):
        draw(scans / name)
    color(scans, tmp_path / "out", alternatives=1, compare=True)
    store.put(str(scans), "/scans", recursive=True)
    job = {"alternatives": 1, "compare": True}
    assert run("memory://scans/", tmp_path / "down", **job) == (3, [])
    assert run(scans, "memory://up", **job) == (3, [])
    assert run("memory://scans", "memory://scans/out", **job) == (3, [])
    for where in ("/scans/out", "/up"):
        made = {path.removeprefix(where + "/"): store.cat(path) for path in store.find(where)}
        del made["manifest.jsonl"]
        assert made == {name: (tmp_path / "out" / name).read_bytes() for name in made}
        assert len(made) == 6
    assert results(tmp_path / "down") == results(tmp_path / "out")
    assert run("memory://scans", "memory://scans/out", **job) == (0, [])


def test_results_may_go_beside_or_above_what_is_not_looked_into(
    store: AbstractFileSystem, scans: Path
) -> None:
    store.put(str(scans), "/o/in", recursive=True)
    where = locate("memory://o/in", "memory://o", recursive=False)
    where.check()
    assert where.find_photos().names == ["a.jpg", "b.png"]
    assert run("memory://o/in", "memory:///o/in/out") == (3, [])
    assert run("memory://o/in", "memory:///o/in/out") == (0, [])


def test_files_of_others_in_a_store_are_kept(store: AbstractFileSystem, scans: Path) -> None:
    store.pipe_file("/out/a.color.jpg", b"mine")
    count, (failure,) = run(scans, "memory://out")
    assert count == 2
    assert "memory://out/a.color.jpg: expected no such file, found one" in failure
    assert store.cat("/out/a.color.jpg") == b"mine"
    assert run(scans, "memory://out", overwrite=True) == (1, [])
    store.pipe_file("/out/a.color.jpg", b"retouched")
    assert run(scans, "memory://out", asked=ASKED | {"model": "other"})[0] == 2
    assert store.cat("/out/a.color.jpg") == b"retouched"


def test_without_a_temporary_folder_only_what_needs_one_fails(
    store: AbstractFileSystem, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(str(scans), "/scans", recursive=True)
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
        assert run(scans, tmp_path / "out") == (3, [])
        count, failures = run("memory://scans", tmp_path / "down")
        assert (count, len(failures)) == (0, 3)
        assert failures[0].startswith("memory://scans/a.jpg: expected a temporary folder, found")
        with pytest.raises(FolderError, match="expected to reach both, found"):
            run(scans, "memory://up")
    assert run("memory://scans", tmp_path / "down") == (3, [])


def test_a_manifest_in_a_store_outlives_a_killed_driver(
    store: AbstractFileSystem, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is copied now and then, and what it does not say was begun, and is done again."""
    every, save, saved = runner._color_begun, Location.save_manifest, itertools.count()

    def dying(where: Location, *, due: bool = False) -> None:
        if next(saved) < 2:  # when all are begun, and after the first
            where._due = 0.0
            save(where, due=due)

    def stopping(*arguments: Any) -> Generator[Outcome, None, None]:
        yield from itertools.islice(every(*arguments), 2)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Location, "save_manifest", dying)
        patch.setattr(runner, "_color_begun", stopping)
        with pytest.raises(KeyboardInterrupt):
            run(scans, "memory://out")
    assert len(store.find("/out")) == 3
    assert run(scans, "memory://out") == (2, [])
    assert run(scans, "memory://out") == (0, [])


def test_a_store_that_is_not_known_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"^nosuch://x: expected a path or a known URL, found"):
        Storage.at("nosuch://x")
    with pytest.raises(FolderError, match=r"^ftp://127.0.0.1:1/x: expected .*refused"):
        Storage.at("ftp://127.0.0.1:1/x")
    for root in ("/", "file:///"):
        with pytest.raises(FolderError, match=f"^{root}: expected a folder, found the root"):
            Storage.at(root)
    (tmp_path / "a::b").mkdir()
    assert Storage.at(str(tmp_path / "a::b")).root == str(tmp_path / "a::b")
    where = locate(tmp_path / "none", tmp_path / "out")
    with pytest.raises(FolderError, match="expected a folder or a tar file, found nothing"):
        where.find_photos()
