"""Work that waits its turn, so that the event loop never waits for it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """Too much work waits already."""


class TooSlowError(Exception):
    """A piece of work took longer than it may."""


class WorkQueue:
    """Work done by a few threads, one piece after the other."""

    def __init__(self, threads: int, *, waiting: int, seconds: float) -> None:
        """waiting: how much may wait or run at once; seconds: for how long an answer is awaited."""
        self._pool = ThreadPoolExecutor(threads)
        self._waiting, self._seconds = waiting, seconds
        self._pending, self._lock = 0, threading.Lock()

    async def do(self, work: Callable[[], T]) -> T:
        """The work's result. Raises BusyError, TooSlowError, or what the work raises."""
        with self._lock:
            if self._pending >= self._waiting:
                raise BusyError
            self._pending += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            raise TooSlowError from None

    def _done(self, _: Future[T]) -> None:
        with self._lock:
            self._pending -= 1

    def close(self) -> None:
        """Drop what waits and end the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
