"""Tar files and stores: what is read, written and gone on with; in this process, without actors."""

import gzip
import io
import itertools
import os
import tarfile
import tempfile
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import fsspec
import pytest
from actors import by_ray, results, tarred
from command import opened
from fsspec import AbstractFileSystem
from tiny import ASKED, Quick, color, draw, files

from tintype.batch import ray_runner
from tintype.batch.folder import Target
from tintype.batch.job import Job
from tintype.batch.manifest import Outcome
from tintype.batch.store import Elsewhere, Shelf, colored, one_by_one
from tintype.errors import FolderError


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[AbstractFileSystem]:
    """A store in the memory of this process, whose photos are colored here, not by actors."""

    def outcomes(
        where: Elsewhere, color: Any, job: Job, targets: list[Target], *_: Any
    ) -> Generator[Outcome, None, None]:
        for target in targets:
            piece = where.pieces.get(target.source)
            yield colored(color, job, target, piece, where.source, where.shelf)

    monkeypatch.setattr(ray_runner, "connected", lambda _, workers: nullcontext(workers))
    monkeypatch.setattr(ray_runner, "_outcomes", outcomes)
    monkeypatch.setattr(ray_runner, "_indexed", one_by_one)
    memory = fsspec.filesystem("memory")
    yield memory
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


@pytest.mark.usefixtures("alone")
def test_a_run_goes_on_where_another_of_either_kind_ended(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert by_ray(scans, out) == (3, [])
    assert color(scans, out) == (0, [])
    draw(scans / "d.png", 4)
    assert color(scans, out) == (1, [])
    draw(scans / "a.jpg", 77)
    assert by_ray(scans, out) == (1, [])
    assert by_ray(scans, out, asked=ASKED | {"model": "other"}) == (4, [])


@pytest.mark.usefixtures("alone")
def test_files_of_others_are_never_replaced_unless_told(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    by_ray(scans, out)
    (out / "a.color.jpg").write_bytes(b"retouched")
    count, (failure,) = by_ray(scans, out, asked=ASKED | {"model": "other"})
    assert count == 2
    assert f"{out}/a.color.jpg: expected no such file, found one; --overwrite" in failure
    assert (out / "a.color.jpg").read_bytes() == b"retouched"
    assert by_ray(scans, out, asked=ASKED | {"model": "other"}, overwrite=True) == (1, [])


@pytest.mark.usefixtures("alone")
def test_a_tar_file_is_gone_on_with_and_may_come_alone(scans: Path, tmp_path: Path) -> None:
    color(scans, tmp_path / "plain")
    contents = {name: (scans / name).read_bytes() for name in files(scans)}
    path, out = tarred(tmp_path / "photos.tar", contents), tmp_path / "out"
    assert by_ray(path, out) == (3, [])
    assert results(out) == results(tmp_path / "plain")
    assert by_ray(path, out) == (0, [])
    tarred(path, contents | {"a.jpg": draw(tmp_path / "x.jpg", 99, (50, 40)).read_bytes()})
    assert by_ray(path, out) == (1, [])
    os.utime(path, ns=(1, 1))
    assert by_ray(path, out) == (0, [])  # as the members have times of their own
    assert opened(out / "a.color.jpg").size == (50, 40)
    path.write_bytes(gzip.compress(path.read_bytes()))
    count, (failure,) = by_ray(path, out)
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


@pytest.mark.usefixtures("alone")
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
    where = Elsewhere(Shelf.at(str(path)), Shelf.at(str(out)), recursive=True)
    assert where.listed().names == ["abs.jpg", "hard.jpg"]
    said: list[str] = []
    ray_runner.run_cluster(Quick(), Job(), where, ASKED, say=said.append)
    assert [line.partition(": ")[2] for line in said[:-1]] == [
        "expected names in it, found ../two lines.jpg, which leads out; rename it",
        "expected names in it, found /abs.jpg, which leads out; rename it",
        "expected photos themselves, found 2 as links; pack what these lead to",
    ]
    assert said[-1].startswith("2 colored")
    assert sorted(results(out)) == ["abs.color.jpg", "hard.color.jpg"]


@pytest.mark.usefixtures("alone")
def test_members_without_a_time_have_the_tar_files(scans: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        photo = (scans / "a.jpg").read_bytes() + bytes((number,))
        path = dumped(tmp_path / "x.tar", ("a.jpg", 0, tarfile.REGTYPE, photo))
        os.utime(path, ns=(number * 10**9, number * 10**9))
        assert by_ray(path, tmp_path / "out") == (1, [])
        assert by_ray(path, tmp_path / "out") == (0, [])


def test_two_of_one_name_in_a_store_are_told(
    alone: AbstractFileSystem, scans: Path, tmp_path: Path
) -> None:
    alone.put(str(scans), "/s", recursive=True)
    alone.store["/s/roll//c.jpg"] = alone.store["/s/roll/c.jpg"]  # as S3 may have it
    count, (failure,) = by_ray("memory://s", tmp_path / "out")
    assert count == 3
    assert failure.endswith("c.jpg: expected one roll/c.jpg, found another; rename it")


def test_what_a_store_cannot_tell_of_is_not_left_there(
    alone: AbstractFileSystem, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(alone).info

    def info(self: AbstractFileSystem, path: str, **options: Any) -> Any:
        if path.endswith("a.color.jpg"):
            raise OSError("no answer")
        return real(self, path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(alone), "info", info)
        count, (failure,) = by_ray(scans, "memory://out")
    assert count == 2
    assert failure.endswith("expected to write memory://out/a.color.jpg, found: no answer")
    assert by_ray(scans, "memory://out") == (1, [])


def test_ctrl_c_while_a_store_is_down_is_ctrl_c(
    alone: AbstractFileSystem, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(*_: Any) -> None:
        raise OSError("down")

    def outcomes(*_: Any) -> Generator[Outcome, None, None]:
        monkeypatch.setattr(type(alone), "put_file", put)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(ray_runner, "_outcomes", outcomes)
    with pytest.raises(KeyboardInterrupt):
        by_ray(scans, "memory://out")


def test_a_stores_manifest_is_called_as_there(alone: AbstractFileSystem, scans: Path) -> None:
    alone.pipe_file("/out/manifest.jsonl", b"mine\n")
    with pytest.raises(FolderError, match=r"^memory://out/manifest.jsonl: expected a line"):
        by_ray(scans, "memory://out")


def test_a_store_holds_what_a_folder_would(
    alone: AbstractFileSystem, scans: Path, tmp_path: Path
) -> None:
    for name in (".hidden.jpg", ".cache/x.jpg", "@eaDir/x.jpg"):
        draw(scans / name)
    color(scans, tmp_path / "out", alternatives=1, compare=True)
    alone.put(str(scans), "/scans", recursive=True)
    job = {"alternatives": 1, "compare": True}
    assert by_ray("memory://scans/", tmp_path / "down", **job) == (3, [])
    assert by_ray(scans, "memory://up", **job) == (3, [])
    assert by_ray("memory://scans", "memory://scans/out", **job) == (3, [])
    for where in ("/scans/out", "/up"):
        made = {path.removeprefix(where + "/"): alone.cat(path) for path in alone.find(where)}
        del made["manifest.jsonl"]
        assert made == {name: (tmp_path / "out" / name).read_bytes() for name in made}
        assert len(made) == 6
    assert results(tmp_path / "down") == results(tmp_path / "out")
    assert by_ray("memory://scans", "memory://scans/out", **job) == (0, [])


def test_results_may_go_beside_or_above_what_is_not_looked_into(
    alone: AbstractFileSystem, scans: Path
) -> None:
    alone.put(str(scans), "/o/in", recursive=True)
    where = Elsewhere(Shelf.at("memory://o/in"), Shelf.at("memory://o"))
    where.check()
    assert where.listed().names == ["a.jpg", "b.png"]
    assert by_ray("memory://o/in", "memory:///o/in/out") == (3, [])
    assert by_ray("memory://o/in", "memory:///o/in/out") == (0, [])


def test_files_of_others_in_a_store_are_kept(alone: AbstractFileSystem, scans: Path) -> None:
    alone.pipe_file("/out/a.color.jpg", b"mine")
    count, (failure,) = by_ray(scans, "memory://out")
    assert count == 2
    assert "memory://out/a.color.jpg: expected no such file, found one" in failure
    assert alone.cat("/out/a.color.jpg") == b"mine"
    assert by_ray(scans, "memory://out", overwrite=True) == (1, [])
    alone.pipe_file("/out/a.color.jpg", b"retouched")
    assert by_ray(scans, "memory://out", asked=ASKED | {"model": "other"})[0] == 2
    assert alone.cat("/out/a.color.jpg") == b"retouched"


def test_without_a_temporary_folder_only_what_needs_one_fails(
    alone: AbstractFileSystem, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone.put(str(scans), "/scans", recursive=True)
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
        assert by_ray(scans, tmp_path / "out") == (3, [])
        count, failures = by_ray("memory://scans", tmp_path / "down")
        assert (count, len(failures)) == (0, 3)
        assert failures[0].startswith("memory://scans/a.jpg: expected a temporary folder, found")
        with pytest.raises(FolderError, match="expected to reach both, found"):
            by_ray(scans, "memory://up")
    assert by_ray("memory://scans", tmp_path / "down") == (3, [])


def test_a_manifest_in_a_store_outlives_a_killed_driver(
    alone: AbstractFileSystem, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is copied now and then, and what it does not say was begun, and is done again."""
    every, save, saved = ray_runner._outcomes, Elsewhere.save, itertools.count()

    def dying(where: Elsewhere, *, due: bool = False) -> None:
        if next(saved) < 2:  # when all are begun, and after the first
            where._due = 0.0
            save(where, due=due)

    def stopping(*arguments: Any) -> Generator[Outcome, None, None]:
        yield from itertools.islice(every(*arguments), 2)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Elsewhere, "save", dying)
        patch.setattr(ray_runner, "_outcomes", stopping)
        with pytest.raises(KeyboardInterrupt):
            by_ray(scans, "memory://out")
    assert len(alone.find("/out")) == 3
    assert by_ray(scans, "memory://out") == (2, [])
    assert by_ray(scans, "memory://out") == (0, [])


def test_a_store_that_is_not_known_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"^nosuch://x: expected a path or a known URL, found"):
        Shelf.at("nosuch://x")
    with pytest.raises(FolderError, match=r"^ftp://127.0.0.1:1/x: expected .*refused"):
        Shelf.at("ftp://127.0.0.1:1/x")
    for root in ("/", "file:///"):
        with pytest.raises(FolderError, match=f"^{root}: expected a folder, found the root"):
            Shelf.at(root)
    (tmp_path / "a::b").mkdir()
    assert Shelf.at(str(tmp_path / "a::b")).root == str(tmp_path / "a::b")
    where = Elsewhere(Shelf.at(str(tmp_path / "none")), Shelf.at(str(tmp_path / "out")))
    with pytest.raises(FolderError, match="expected a folder or a tar file, found nothing"):
        where.listed()
