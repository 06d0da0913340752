"""Cases that are timed in turns, each in a process of its own, and tables of what they took."""

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

Step = Callable[[], object]
Case = Callable[[], Step]  # makes ready; can be pickled

REST = 0.1  # seconds before a turn, in which the threads of the one before come to rest
TURN = 0.5  # seconds in which a short step is done again and again


@dataclass(frozen=True)
class Way:
    """How to measure: by how many threads, the best of how many turns, and by which clock.

    clock: `time.process_time` tells of one thread what it would take on a machine left alone
    """

    threads: int
    turns: int
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True)
class Cost:
    """What a case took: the shortest time in seconds, and its process's peak memory in MiB."""

    seconds: float
    memory: float


def time_in_turns(cases: dict[str, Case], way: Way) -> dict[str, Cost]:
    """What each case took, by its name; they take turns, so that they share noise (Linux)."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    spawn = get_context("spawn")
    with contextlib.ExitStack() as stack:
        pools = {
            name: stack.enter_context(ProcessPoolExecutor(1, spawn, _prepare, (case,)))
            for name, case in cases.items()
        }
        for _ in range(way.turns):
            for name, pool in pools.items():
                times[name].append(pool.submit(_time_turn, way.clock).result())
        return {n: Cost(min(times[n]), pool.submit(_peak).result()) for n, pool in pools.items()}


_steps: list[Step] = []  # this process's one


def _prepare(case: Case) -> None:
    _steps.append(case())


def _time_turn(clock: Callable[[], float]) -> float:
    time.sleep(REST)
    times, end = [], time.perf_counter() + TURN
    while not times or time.perf_counter() < end:
        start = clock()
        _steps[0]()
        times.append(clock() - start)
    return min(times)


def _peak() -> float:
    # Not `ru_maxrss`, which begins with what the parent held when it started this process.
    (line,) = (t for t in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in t)
    return int(line.split()[1]) / 1024


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table, its columns one below the other, with an empty line after it."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    print(f"{title}\n")
    for row in (head, ["-" * width for width in widths], *rows):
        print("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |")
    print(flush=True)
