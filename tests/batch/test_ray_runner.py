"""Photos colored by Ray: the same results, from anywhere, whatever dies meanwhile."""

import os
import pickle
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from actors import by_ray, photos, results, tarred
from command import TINTYPE, tintype
from tiny import ASKED, Quick, color, draw, files, lines, locate

import tintype as package
from tintype.batch import Ray, Request, colorize, ray_runner
from tintype.batch.folder import Target
from tintype.batch.location import Location
from tintype.batch.one_photo import make_method
from tintype.batch.request import OutputOptions
from tintype.batch.runner import run_location
from tintype.cli.options import FolderOptions
from tintype.errors import FolderError, ModelError
from tintype.photo import Photo
from tintype.recipe import Recipe

# What Ray does to itself when it makes its default settings.
pytestmark = pytest.mark.filterwarnings("ignore:`use_:DeprecationWarning:ray.data.context")


@pytest.fixture(scope="module")
def ray() -> Iterator[str]:
    """A cluster on this machine, for two actors, which find these tests' methods: its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
        with ray_runner.connect(ray_runner.LOCAL, 2):
            from ray import get_runtime_context

            yield get_runtime_context().gcs_address


def told(out: Path) -> list[tuple[Any, ...]]:
    """What the manifest says of each photo, but for when."""
    names = ("input", "status", "bytes", "mtime_ns", "sha256", "output", "recipe", "reached")
    ended = [line for line in lines(out) if line.get("status") in ("ok", "failed")]
    return sorted((*(line[name] for name in names), *line["files"]) for line in ended)


# --- the same as without --------------------------------------------------------------------------


@pytest.mark.usefixtures("ray")
def test_actors_give_the_bytes_and_the_lines_of_the_plain_run(tmp_path: Path) -> None:
    scans = photos(tmp_path / "scans", 60)
    (scans / "bad.jpg").write_bytes((scans / "0" / "0.jpg").read_bytes()[:200])
    recipe = Recipe().towards("red")
    method = make_method(package.load(threads=1), recipe)
    plain = tmp_path / "plain"
    run_location(method, OutputOptions(), locate(scans, plain), ASKED)
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        count, (failure,) = by_ray(scans, out, method, workers=workers)
        assert count == 60
        assert failure.startswith(f"{scans}/bad.jpg: expected an image")
        assert results(out) == results(plain)
        assert told(out) == told(plain)


def test_a_colorizer_is_pickled_as_where_its_model_is(monkeypatch: pytest.MonkeyPatch) -> None:
    first = package.load(threads=1)
    data = pickle.dumps(first)
    assert len(data) < 1000
    again = pickle.loads(data)
    assert again.model.threads == 1
    assert again.model.fingerprint == first.model.fingerprint
    monkeypatch.setattr(package.model, "fingerprint", lambda _: "of another version")
    with pytest.raises(ModelError, match=r"expected the model .*; install the same version"):
        pickle.loads(data)


# --- what dies ------------------------------------------------------------------------------------


class Slow(Quick):
    """A method that takes its time, and says which processes are at it."""

    def __init__(self, pids: Path) -> None:
        super().__init__()
        self.pids = pids

    def __call__(self, photo: Photo, target: Target) -> Iterator[Any]:
        (self.pids / str(os.getpid())).touch()
        time.sleep(0.02)
        yield from super().__call__(photo, target)


@pytest.mark.usefixtures("ray")
def test_an_actor_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    rng = random.Random(6)
    scans, out, pids = photos(tmp_path / "scans", 300), tmp_path / "out", tmp_path / "pids"
    pids.mkdir()
    killed: list[int] = []

    def kill() -> None:
        wanted = rng.randint(5, 150)
        while len(list(out.rglob("*.color.*"))) < wanted:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.1))
        every = psutil.Process().children(recursive=True)
        counting = [p for p in every if "".join(p.cmdline()).startswith("ray::InHand")]
        killed.append(max(counting, key=psutil.Process.create_time).pid)
        killed.append(int(rng.choice(sorted(path.name for path in pids.iterdir()))))
        for pid in killed:  # the one that counts, and one that colors
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    assert by_ray(scans, out, Slow(pids)) == (300, [])
    killer.join()
    assert len(killed) == 2
    assert len(list(pids.iterdir())) == 3  # two, and the one that came for the killed
    assert len(lines(out, "ok")) == 300
    color(scans, tmp_path / "plain")
    assert results(out) == results(tmp_path / "plain")


@pytest.mark.usefixtures("ray")
def test_what_no_actor_had_when_it_was_stopped_belongs_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans, out, pids = photos(tmp_path / "scans", 30), tmp_path / "out", tmp_path / "pids"
    pids.mkdir()

    def stop(_: Location, *, due: bool = False) -> None:
        if due and len(lines(out, "ok")) == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Location, "save_manifest", stop)
        with pytest.raises(KeyboardInterrupt):
            by_ray(scans, out, Slow(pids))
    stopped = lines(out, "failed")
    assert stopped
    assert {line["reason"] for line in stopped} == {"stopped before its turn"}
    mine = out / stopped[-1]["output"]
    mine.parent.mkdir(exist_ok=True)
    mine.write_bytes(b"mine")
    count, (failure,) = by_ray(scans, out)
    assert failure.endswith(f"{mine}: expected no such file, found one; --overwrite replaces it")
    assert count == 24
    assert mine.read_bytes() == b"mine"


class Deadly(Quick):
    """A method that one photo always ends, with the process and a half-written file."""

    def __call__(self, photo: Photo, target: Target) -> Iterator[Any]:
        if target.name.endswith("/7.png"):
            Path(target.output).with_name(".tintype-0123.part").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        yield from super().__call__(photo, target)


@pytest.mark.usefixtures("ray")
def test_a_photo_that_always_kills_is_given_up_alone(tmp_path: Path) -> None:
    scans, out = photos(tmp_path / "scans", 12), tmp_path / "out"
    count, (failure,) = by_ray(scans, out, Deadly())
    assert count == 11
    assert failure == (
        f"{scans}/1/7.png: expected to color it, found 3 processes that ended over it; try it alone"
    )
    assert not list(out.rglob(".*"))
    assert color(scans, out) == (1, [])


class Unloadable(Quick):
    """A method that actors cannot have."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _refuse, ()


def _refuse() -> None:
    raise ModelError("expected another model")


@pytest.mark.usefixtures("ray")
def test_a_model_that_no_actor_can_load_is_one_line(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.data import DataContext

    monkeypatch.setattr(DataContext.get_current(), "max_consecutive_actor_init_deaths", 0)  # quick
    with pytest.raises(FolderError, match=r"^expected Ray to color, found: .*another model"):
        by_ray(scans, tmp_path / "out", Unloadable())


class Full(Quick):
    """A method that ends the whole run."""

    def __call__(self, *_: Any) -> Iterator[Any]:
        raise FolderError("expected room, found none")


@pytest.mark.usefixtures("ray")
def test_what_ends_a_run_is_told_as_it_was_said(scans: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"^expected Ray to color, found: .*room, found none;"):
        by_ray(scans, tmp_path / "out", Full())
    with pytest.raises(FolderError, match=r"^expected Ray to color, found: .*another model"):
        list(ray_runner._index_tars(Unloadable(), ["a.tar"]))  # type: ignore[arg-type]


def test_a_killed_run_and_a_stopped_one_are_gone_on_with(ray: str, tmp_path: Path) -> None:
    """By command: kill -9, then Ctrl-C, both on a cluster that runs; then one of its own."""
    scans, out = photos(tmp_path / "scans", 18), tmp_path / "out"
    (scans / "bad.jpg").write_bytes(b"no photo")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits to ignore it
    options = ("--recursive", "--workers", "2", "--ray")
    before = files(scans)
    for number, wanted in ((signal.SIGKILL, 3), (signal.SIGINT, 8)):
        command = [TINTYPE, "colorize", scans, "-o", out, *options, ray]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
            while len(list(out.rglob("*.color.*"))) < wanted and run.poll() is None:
                time.sleep(0.01)
            # Ray may tell of what is done later than it is done.
            told = out / "manifest.jsonl"
            while number == signal.SIGINT and '"ok"' not in told.read_text() and run.poll() is None:
                time.sleep(0.01)
            run.send_signal(number)
            _, words = run.communicate()
        assert run.returncode == (130 if number == signal.SIGINT else -number), words
        assert len(list(out.rglob("*.color.*"))) < 18
    assert words.splitlines()[-1].startswith("tintype: stopped")
    assert "Traceback" not in words
    assert not list(out.rglob(".*"))
    done = tintype("colorize", scans, "-o", out, *options, cwd=tmp_path, status=1)
    *failures, counts = done.stderr.decode().splitlines()
    assert len(failures) == 1
    assert failures[0].startswith(f"tintype: {scans}/bad.jpg: expected an image")
    assert "were done before, 1 failed" in counts
    assert files(scans) == before
    plain = tmp_path / "plain"
    tintype("colorize", scans, "-o", plain, "--recursive", cwd=tmp_path, status=1)
    assert results(out) == results(plain)


# --- from anywhere --------------------------------------------------------------------------------


@pytest.mark.usefixtures("ray")
def test_tar_files_are_colored_as_folders_are(tmp_path: Path) -> None:
    scans = photos(tmp_path / "scans", 12)
    contents = {name: (scans / name).read_bytes() for name in files(scans)}
    others = {"0/0.json": b"{}", "0/.hid.png": b"x", ".git/a.png": b"x", "../out.png": b"x"}
    tarred(tmp_path / "tars" / "a" / "photos.tar", contents | others)
    draw(tmp_path / "tars" / "beside.png", 3)
    broken = (tmp_path / "tars" / "a" / "photos.tar").read_bytes()[:3000]
    (tmp_path / "tars" / "broken.tar").write_bytes(broken)

    color(scans, tmp_path / "plain")
    count, failures = by_ray(tmp_path / "tars", tmp_path / "out")
    assert count == 13 + 3  # three of the broken one are whole
    assert any("broken.tar: expected a tar file, whole" in line for line in failures)
    assert any("expected names in it, found a/photos.tar/../out.png" in line for line in failures)
    assert files(tmp_path / "out" / "a" / "photos.tar") == results(tmp_path / "plain")


@pytest.mark.usefixtures("ray")
def test_a_store_takes_results_and_the_manifest(tmp_path: Path) -> None:
    """By a wrapper, so that files on this disk are not known to be, and as asynchronous as S3."""
    scans, out = photos(tmp_path / "scans", 12), tmp_path / "out"
    source, target = f"async_wrapper::file://{scans}", f"async_wrapper::file://{out}"
    method, job = (
        make_method(package.load(threads=1), Recipe(), 2),
        {"alternatives": 2, "compare": True},
    )
    tarred(scans / "more.tar", {"x.png": (scans / "1" / "1.png").read_bytes()})
    (scans / "bad.jpg").write_bytes(b"no photo")
    count, (failure,) = by_ray(source, target, method, **job)
    assert count == 13
    assert failure.startswith(f"{source}/bad.jpg: expected an image")
    (scans / "bad.jpg").unlink()
    run_location(method, OutputOptions(**job), locate(scans, tmp_path / "plain"), ASKED)
    made = results(out)
    packed = [name for name in made if name.startswith("more.tar/")]
    assert len(packed) == 3  # two alternatives, and the comparison
    for name in packed:
        assert made[name] == made[name.replace("more.tar/x", "1/1")]
    assert made == results(tmp_path / "plain")
    assert lines(out)[0]["folder"] == source


# --- what makes no sense --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scans", "-o", "out", "--watch", "--ray"), "expected no --watch with --ray"),
        (("scans", "-o", "out", "--album", "--ray"), "expected no --album with --ray"),
        (("scans", "-o", "out", "--threads", 2, "--ray"), "expected --workers with --ray"),
        (("-o", "out", "scans", "--ray", "scans"), "found the path scans"),
        (("scans", "other", "-o", "out", "--ray"), "expected one folder"),
        (("scans", "--ray"), "expected -o OUT"),
        (("scans", "-o", "scans", "--ray"), "found it itself"),
        (("memory://a", "-o", "memory://a", "--ray"), "found memory://a itself"),
        (("memory://a", "-o", "memory:///a", "--ray"), "found memory://a itself"),
        (("memory://a/b", "-o", "memory://a", "--recursive", "--ray"), "outside of what holds"),
    ],
)
def test_usage_errors_write_nothing(
    scans: Path, arguments: tuple[object, ...], message: str
) -> None:
    before = files(scans.parent)
    done = tintype("colorize", *arguments, cwd=scans.parent, status=2)
    assert message in done.stderr.decode()
    assert files(scans.parent) == before


@pytest.mark.parametrize("word", ["local", "auto"])
def test_a_folder_may_be_called_as_a_cluster_is(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / word).mkdir()
    monkeypatch.chdir(tmp_path)
    options = FolderOptions(False, None, False, 0.5, None, False, ray=word)
    options.check(("scans",), True, {})
    assert options.runner(None) == Ray(word)


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_one_line(scans: Path, address: str) -> None:
    start = time.monotonic()
    done = tintype("colorize", "scans", "-o", "out", "--ray", address, cwd=scans.parent, status=1)
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"tintype: expected a Ray cluster at {address}, found")
    assert time.monotonic() - start < 60


def test_a_local_cluster_refuses_another_token(
    ray: str, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    done = tintype("colorize", "scans", "-o", "out", "--ray", ray, cwd=scans.parent, status=1)
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"tintype: expected a Ray cluster at {ray}, found")
    assert "AuthenticationError" in line


@pytest.mark.usefixtures("ray")
def test_a_list_is_colored_by_actors_too(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scans)
    Path("bad.jpg").write_bytes(Path("a.jpg").read_bytes()[:200])
    request = Request(["a.jpg", "bad.jpg", "b.png"], "plain")
    plain = colorize(request)
    Path("out").mkdir()
    Path("out/b.color.png").write_text("another's")
    request = replace(request, output="out", runner=Ray(workers=1))
    said: list[str] = []
    summary = colorize(request, report=said.append)
    assert (plain.colored, summary.colored, len(summary.failures)) == (2, 1, 2)
    assert files(scans / "out")["a.color.jpg"] == files(scans / "plain")["a.color.jpg"]
    assert Path("out/b.color.png").read_text() == "another's"
    assert any("bad.jpg: expected an image" in line for line in said)
