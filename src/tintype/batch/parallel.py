"""Work on many photos at a time, and a bar that shows how far it is."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
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
