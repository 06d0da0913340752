"""Many photos on a Ray cluster, or on a local one: Ray Data hands them to actors.

    list ──▶ manifest: what is left ──▶ ray.data ──map_batches──▶ actors: read, color, write
                   ▲                                                     │
                   └──────────────── outcomes, as they end ◀─────────────┘

Ray starts the actors, holds work back while they are busy, and does again what was in the hands of
one that died. The manifest is written here alone. Ray is imported in functions, as it looks at its
environment once, when it is imported.
"""

import logging
import os
import pickle
import secrets
import socket
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Any

from tintype.batch.folder import Target
from tintype.batch.location import Location
from tintype.batch.manifest import Outcome
from tintype.batch.one_photo import Method, Report, Summary, claim, judge
from tintype.batch.request import LOCAL, OutputOptions, Ray
from tintype.batch.runner import colorize_stored, run_begun, run_location
from tintype.batch.storage import ByteRange, Storage, TarIndex, index_tar
from tintype.errors import FolderError
from tintype.files import Name

BLOCK = 16  # photos that an actor is handed at once, at most: what is done again when it dies
STORE = 256 << 20  # bytes for what passes between processes, which are names and no photos
TRIES = 3  # of a photo that ends the process that colors it, as one too large for it may


def run_cluster(
    method: Method,
    options: OutputOptions,
    location: Location,
    asked: dict[str, Any],
    runner: Ray,
    *,
    report: Report,
    inputs: Sequence[Name] = (),
) -> Summary:
    """Color what is new or changed, as `run_location` does, by actors of a Ray cluster.

    method: is pickled, so a colorizer in it is loaded by each actor
    Raises FolderError where the cluster cannot be reached or gives up.
    """
    with connect(runner.address, runner.workers or 0) as actors:
        location = replace(location, index=_index_tars)
        run = partial(run_begun, _color_begun)
        return run_location(
            method,
            options,
            location,
            asked,
            report=report,
            workers=actors,
            inputs=inputs,
            run=run,
        )


def run_list(
    method: Method,
    options: OutputOptions,
    targets: list[Target],
    runner: Ray,
    *,
    tell: Callable[[Outcome], None],
) -> None:
    """Color a list of photos on disks that all of a cluster sees; a bad one never stops the others.

    Raises FolderError where the cluster cannot be reached or gives up.
    """
    here = Storage("", "")
    begun = []
    for number, target in enumerate(targets):
        outcome = Outcome(target)
        with judge(outcome):
            claim(options, target, None)
            files = os.path.abspath(target.source), os.path.abspath(target.output)
            begun.append(replace(target, source=files[0], output=files[1], name=str(number)))
        if outcome.error is not None:
            tell(outcome)
    if options.recipe is not None:
        options = replace(options, recipe=(Path.cwd() / options.recipe[0], options.recipe[1]))
    with (
        connect(runner.address, runner.workers or 0) as actors,
        closing(
            _color_begun(method, options, Location(here, here), actors, begun, set())
        ) as outcomes,
    ):
        for outcome in outcomes:
            tell(outcome)


@contextmanager
def connect(address: str, workers: int) -> Iterator[int]:
    """A cluster to work on, and how many actors to use; the one in use, where there is one.

    One that is started here answers to this run alone, and nothing is reported to Ray's makers.
    """
    if find_spec("ray") is None:
        raise FolderError(
            "expected the extra [ray] to be installed, found no ray; run: pip install "
            "'tintype[ray]'"
        )
    ours = "ray" not in sys.modules or not sys.modules["ray"].is_initialized()
    if ours:
        _start(address, workers)
    import ray

    try:
        yield workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if ours:
            ray.shutdown()


def _start(address: str, workers: int) -> None:
    """Start or find a cluster. Raises FolderError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        options |= {"num_cpus": workers or None, "include_dashboard": False}
        options |= {"object_store_memory": STORE}
        if "ray" not in sys.modules:  # its ports are open to the network, and then need the token
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray.data

    try:
        host, _, port = address.rpartition(":")
        if port.isdecimal() and "://" not in host:  # Ray would try for minutes
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
        with _silence():
            ray.init(address, **options)
    except Exception as error:
        raise FolderError(
            f"expected a Ray cluster at {address}, found: {_last_line(error.__cause__ or error)}; "
            "see `ray status`"
        ) from None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_consecutive_actor_init_deaths = TRIES


@contextmanager
def _silence() -> Iterator[None]:
    """Without what processes write to standard error past Python while they start."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _index_tars(storage: Storage, tars: list[str]) -> Iterator[TarIndex]:
    """What tar files hold, looked into by the cluster."""
    import ray.data

    def look(batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return {"index": [pickle.dumps(index_tar(storage, str(tar))) for tar in batch["tar"]]}

    rows = ray.data.from_items([{"tar": tar} for tar in tars], override_num_blocks=len(tars))
    with _hear():
        for batch in rows.map_batches(look, batch_size=1).iter_batches(batch_size=None):
            yield from map(pickle.loads, batch["index"])


@contextmanager
def _hear() -> Iterator[None]:
    """That the cluster gives up is a FolderError of one line."""
    from ray.exceptions import RayError

    try:
        yield
    except RayError as error:
        raise FolderError(
            f"expected Ray to color, found: {_last_line(error)}; start again to go on"
        ) from None


def _color_begun(
    method: Method,
    options: OutputOptions,
    location: Location,
    workers: int,
    targets: list[Target],
    idle: set[str],
) -> Generator[Outcome, None, None]:
    """What becomes of photos, as they end. Raises FolderError where the cluster gives up.

    idle: gets, after an early end, the names of the photos that no actor has had or will have
    """
    import ray.data

    works = [{"work": pickle.dumps((t, location.byte_ranges.get(t.source)))} for t in targets]
    if not works:
        return
    blocks = max(min(len(works), 8 * workers), ceil(len(works) / BLOCK))
    hands = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(InHand).remote()
    done = ray.data.from_items(works, override_num_blocks=blocks).map_batches(
        Worker,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(
            size=min(workers, blocks), max_tasks_in_flight_per_actor=2
        ),
        fn_constructor_args=(method, options, location.photos, location.results, hands),
    )
    try:
        with _hear():
            for batch in done.iter_batches(batch_size=None):
                yield from map(pickle.loads, batch["outcome"])
    except BaseException:
        with suppress(Exception):  # of a cluster that is gone; then all stay begun
            had = ray.get(hands.stop.remote(), timeout=10)
            idle.update(target.name for target in targets if target.name not in had)
        raise


@dataclass
class Worker:
    """An actor's work: photos, one after the other, by one colorizer."""

    method: Method
    options: OutputOptions
    photos: Storage
    results: Storage
    hands: Any

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        """Color the photos of a batch."""
        return {"outcome": [pickle.dumps(self._one(*pickle.loads(w))) for w in batch["work"]]}

    def _one(self, target: Target, where: ByteRange | None) -> Outcome:
        import ray

        if ray.get(self.hands.take.remote(target.name)) > TRIES:
            reason = f"expected to color it, found {TRIES} processes that ended over it"
            return Outcome(target, error=f"{target.source}: {reason}; try it alone")
        outcome = colorize_stored(
            self.method, self.options, target, where, self.photos, self.results
        )
        self.hands.put.remote(target.name)
        return outcome


class InHand:
    """How often each photo was taken in hand, and not put back: Ray tries again for ever."""

    def __init__(self) -> None:
        self.tries = Counter[str]()
        self.had = set[str]()
        self.stopped = False

    def take(self, name: str) -> int:
        """Count a photo that is taken in hand; returns how often it was, too often after `stop`."""
        if self.stopped:
            return TRIES + 1
        self.had.add(name)
        self.tries[name] += 1
        return self.tries[name]

    def put(self, name: str) -> None:
        """Forget a photo that has ended."""
        del self.tries[name]

    def stop(self) -> set[str]:
        """Let no photo be taken any more; returns all that were."""
        self.stopped = True
        return self.had


def _last_line(error: BaseException) -> str:
    """What Ray says, or what it says that an actor has said, without where and what came of it."""
    text = str(error)
    cause = text.rpartition("\n\nThe above exception was")[0] or text
    return (cause.strip().splitlines() or [type(error).__name__])[-1]
