"""Work on many photos at a time, and a bar that shows how far it is."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")
R = TypeVar("R")


def progress_bar(what: str, count: int) -> Any:
    """A progress bar with photos a second and the time that is left, in a terminal."""
    some = None if count > 1 else True
    return tqdm(total=count, desc=what, unit=" photos", disable=some, delay=2)


def map_unordered(
    work: Callable[[T], R], items: Iterable[T], workers: int
) -> Generator[R, None, None]:
    """What becomes of photos, as they end; no more at once than workers, as each takes memory."""
    if workers == 1:  # in this thread, where Ctrl-C reaches the photo in hand
        yield from map(work, items)
        return
    waiting = iter(items)
    with ThreadPoolExecutor(workers) as pool:  # its end waits for the photos in hand
        pending = {pool.submit(work, item) for item in islice(waiting, workers)}
        while pending:
            ended, pending = wait(pending, return_when=FIRST_COMPLETED)
            pending |= {pool.submit(work, item) for item in islice(waiting, len(ended))}
            for future in ended:
                yield future.result()


def map_in_order(
    work: Callable[[T], R], items: Iterable[T], workers: int, ahead: int | None = None
) -> Generator[R, None, None]:
    """Results in the order of the items, which are taken as results are: few are in flight.

    ahead: how many; by default so many that one slow photo does not stop the others
    """
    ahead = ahead or 8 * workers
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:  # its end waits for the photos in hand
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
