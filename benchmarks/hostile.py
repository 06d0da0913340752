"""What hostile files and requests cost a server, and what others' edits cost meanwhile.

    python benchmarks/hostile.py             all of them
    python benchmarks/hostile.py tile fax    those

Each is sent again and again for some seconds. To reach: no request above 10 s or 1 GB, and others'
edits below twice their idle time (medians of edits with and without what was reached).
"""

import argparse
import base64
import io
import json
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count, cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from editor import photo, post, send, serving
from PIL import Image
from turns import table

sys.path.append(str(Path(__file__).parents[1] / "tests"))
import bombs

SECONDS, SLICES = 6.0, 6  # for which each is sent, in so many slices
SECONDS_LIMIT, MEGABYTES_LIMIT, SLOWER_LIMIT = 10.0, 1024, 2.0


@dataclass(frozen=True)
class Attack:
    """What is sent to the server at `address` where a photo `sent` is."""

    megabytes: float
    send: Callable[[str, str], str]  # address, sent -> status and what was answered


def upload(make: Callable[[], bytes]) -> Callable[[], Attack]:
    """An attack by a file."""

    def ready() -> Attack:
        content = make()
        return Attack(len(content) / 1e6, lambda address, _: answer(lambda: send(address, content)))

    return ready


def ask(make: Callable[[], dict[str, object]], times: int = 1) -> Callable[[], Attack]:
    """An attack by a recipe, or by so many in turn, each of which is made anew."""

    def ready() -> Attack:
        bodies = [json.dumps(make()).encode() for _ in range(times)]
        turns = cycle(bodies)
        return Attack(
            len(bodies[0]) / 1e6,
            lambda address, sent: answer(lambda: edit(address, sent, next(turns))),
        )

    return ready


def answer(request: Callable[[], object]) -> str:
    """The status of a request's answer, and what is wrong."""
    try:
        request()
    except urllib.error.HTTPError as error:
        with suppress(ValueError):
            return f"{error.code} {json.load(error)['detail']}"
        return str(error.code)
    except OSError as error:  # refused before all was sent
        return str(error)
    return "done"


def edit(address: str, sent: str, body: bytes) -> bytes:
    return post(f"{address}v1/photos/{sent}/render", body, "application/json")


def avif() -> bytes:
    """100 million pixels of noise that claim to be 64 x 64."""
    noise = np.random.default_rng(0).integers(0, 256, (10_000, 10_000), np.uint8)
    return bombs.claim_less(bombs.save(Image.fromarray(noise), "AVIF", speed=10, quality=60))


def pins(number: int, seed: int | None = None) -> dict[str, object]:
    """A recipe of so many pins, each where none was before if there is no seed."""
    places = np.random.default_rng(seed).random((number, 2)).tolist()
    return {"edits": [{"at": place, "color": "red"} for place in places]}


def masks(make: Callable[[], bytes]) -> dict[str, object]:
    """A recipe of a mask eight times."""
    text = base64.b64encode(make()).decode()
    return {"edits": [{"mask": text, "color": "red"}] * 8}


def noise() -> bytes:
    """A mask as large as may be, which nothing makes smaller."""
    pixels = np.random.default_rng(0).integers(0, 256, (512, 512), np.uint8)
    return bombs.save(Image.fromarray(pixels), "PNG")


COLORS = [{"color": f"#{7919 * k % 0xFFFFFF:06x}", "share": 1} for k in range(1000)]
CHANGE = {"from": "red", "to": "blue", "scale": 1}
ATTACKS: dict[str, Callable[[], Attack]] = {
    "scans": upload(lambda: bombs.make_jpeg_of_scans(7000, 20_000)),
    "tile": upload(lambda: bombs.make_tiff_of_a_huge_tile(47_000)),
    "comments": upload(lambda: bombs.make_jpeg_of_comments(15_000_000)),
    "chunks": upload(lambda: bombs.make_png_of_chunks(5_000_000)),
    "avif": upload(avif),
    "fax": upload(lambda: bombs.make_fax_of_noise(1, 50_000_000, 60_000_000)),
    "large": upload(lambda: photo(0, 8600)),  # honest, nearly as large as may be
    "changes": ask(lambda: {"edits": [{"recolor": [CHANGE] * 330}] * 64}),
    "lists": ask(lambda: {"edits": [[]] * 30_000}),
    "colors": ask(lambda: {"palette": {"version": 1, "colors": COLORS}}),
    "most edits": ask(lambda: {"edits": [{"towards": "red", "amount": 0.1}] * 64}),
    "most changes": ask(lambda: {"edits": [{"recolor": [CHANGE] * 249}]}),
    "pins": ask(lambda: pins(64), 200),
    "most pins": ask(lambda: pins(32), 200),
    "most pins, full": ask(lambda: pins(32) | {"size": "full"}, 200),
    "new pin": ask(lambda: pins(1), 200),
    "known pins": ask(lambda: pins(6, seed=0)),
    "masks": ask(lambda: masks(noise)),
    "masks, full": ask(lambda: masks(noise) | {"size": "full"}),
    "mask of chunks": ask(lambda: masks(lambda: bombs.make_png_of_chunks(32_000))),
    "mask of text": ask(lambda: masks(lambda: bombs.make_png_of_text(300))),
    "mask bomb": ask(lambda: masks(lambda: bombs.make_png_that_claims(60_000))),
    "no base64": ask(lambda: {"edits": [{"protect": "*" * 500_000}] * 8}),
}


@contextmanager
def peak_memory(process: psutil.Process) -> Iterator[Callable[[], float]]:
    """How much more than before a process and its children held at most, in MiB."""
    done, most = threading.Event(), [0.0]

    def total() -> float:
        held = 0
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                held += one.memory_info().rss
        return held / 2**20

    before = total()

    def watch() -> None:
        while not done.wait(0.01):
            most[0] = max(most[0], total() - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        done.set()
        thread.join()


def edit_times(address: str, sent: str, until: Callable[[], bool]) -> dict[bool, list[float]]:
    """Milliseconds of edits, one after the other, by whether they say what was reached."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for i in count():
        recipe = {"edits": [{"shift_hue": 7 * i % 360}], "measure": i % 4 == 0}
        began = time.perf_counter()
        edit(address, sent, json.dumps(recipe).encode())
        times[i % 4 == 0].append(1000 * (time.perf_counter() - began))
        time.sleep(0.02)
        if until() and i >= 4:
            return times
    raise AssertionError


def attack_when_told(attack: Attack, address: str, sent: str, ends: Connection) -> None:
    """For every number of seconds that comes, attack for as long, once at least."""
    while seconds := ends.recv():
        times, said = [], ""
        end = time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            began = time.perf_counter()
            said = attack.send(address, sent)
            times.append(time.perf_counter() - began)
        ends.send((times, said))


@contextmanager
def attacker(attack: Attack, address: str, sent: str) -> Iterator[Connection]:
    """A process of its own, as an attacker is: its work must not hold up who measures."""
    ours, theirs = get_context("fork").Pipe()
    work = (attack, address, sent, theirs)
    process = get_context("fork").Process(target=attack_when_told, args=work)
    process.start()
    try:
        yield ours
    finally:
        ours.send(0)
        process.join()


def measure(attack: Attack, address: str, process: psutil.Process) -> list[str]:
    """A row of the table: slices of calm and of attack in turn, as the machine has moods."""
    own, other = send(address, photo(0)), send(address, photo(1))
    calm: dict[bool, list[float]] = {True: [], False: []}
    busy: dict[bool, list[float]] = {True: [], False: []}
    times, said = [], ""
    with attacker(attack, address, other) as ends, peak_memory(process) as peak:
        for _ in range(SLICES):
            end = time.perf_counter() + SECONDS / SLICES
            found = edit_times(address, own, lambda end=end: time.perf_counter() > end)
            ends.send(SECONDS / SLICES)
            hurt = edit_times(address, own, ends.poll)
            taken, said = ends.recv()
            times += taken
            for measured in (False, True):
                calm[measured] += found[measured]
                busy[measured] += hurt[measured]
        memory = peak()
    row = [f"{attack.megabytes:.1f}", str(len(times)), f"{max(times):.1f}", f"{memory:.0f}"]
    ratios = []
    for measured in (False, True):
        before, after = (float(np.median(kind[measured])) for kind in (calm, busy))
        ratios.append(after / before)
        row.append(f"{before:.0f} -> {after:.0f} ({ratios[-1]:.1f})")
    within = max(times) < SECONDS_LIMIT and memory < MEGABYTES_LIMIT and max(ratios) < SLOWER_LIMIT
    return [*row, "yes" if within else "NO", said[:60]]


def study_row() -> list[str]:
    """60 requests at once for one large picture of a study."""
    with TemporaryDirectory() as folder:
        for method in ("real", "ours"):
            (Path(folder) / method).mkdir()
            Image.open(io.BytesIO(photo(0, 8600))).save(Path(folder) / method / "a.jpg")
        with serving("study", folder) as (address, process), peak_memory(process) as peak:
            with urllib.request.urlopen(f"{address}v1/study", b"") as begun:
                name = json.load(begun)["trials"][0]["left"]
            began = time.perf_counter()
            with ThreadPoolExecutor(60) as people:
                fetch = [
                    people.submit(urllib.request.urlopen, f"{address}v1/study/pictures/{name}")
                    for _ in range(60)
                ]
                statuses = {one.result().status for one in fetch}
            seconds = time.perf_counter() - began
            within = seconds < SECONDS_LIMIT and peak() < MEGABYTES_LIMIT
            row = ["60 pictures", "0.0", "60", f"{seconds:.1f}", f"{peak():.0f}", "", ""]
            return [*row, "yes" if within else "NO", f"{statuses}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*ATTACKS, "study"]))
    names = parser.parse_args().names or [*ATTACKS, "study"]
    rows = []
    for name in names:
        if name == "study":
            rows.append(study_row())
            continue
        attack = ATTACKS[name]()
        with serving() as (address, process):
            rows.append([name, *measure(attack, address, process)])
        print(*rows[-1], file=sys.stderr, flush=True)
    head = ["sent", "MB", "times", "seconds", "MiB more"]
    head += ["edit, ms", "measured, ms", "within", "answer"]
    title = "What hostile files and requests cost (worst time, peak memory, others' edits)"
    table(title, head, rows)


if __name__ == "__main__":
    main()
