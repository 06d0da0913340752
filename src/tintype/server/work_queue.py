"""Work that waits its turn, so that the event loop never waits for it.

Clients take turns, whoever has how much waiting; who has nothing waiting finds a place sooner.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """Too much work waits already."""


class TooSlowError(Exception):
    """A piece of work took longer than it may."""


class UnwantedError(Exception):
    """Nobody waits for this piece of work any more."""


Waiting = tuple[Future[Any], threading.Event, Callable[[], Any]]

_thread = threading.local()


def check_wanted() -> None:
    """Raise UnwantedError in work of a queue whose answer nobody waits for any more."""
    if (unwanted := getattr(_thread, "unwanted", None)) is not None and unwanted.is_set():
        raise UnwantedError


class WorkQueue:
    """Work done by a few threads, one piece after the other."""

    def __init__(self, threads: int, *, waiting: int, seconds: float) -> None:
        """waiting: how much may wait or run at once; seconds: for how long an answer is awaited.

        A quarter of the places is for the first work of a client.
        """
        self._pool = ThreadPoolExecutor(threads)
        self._waiting, self._seconds = waiting, seconds
        self._pending = Counter[str]()  # by client
        self._turns: dict[str, deque[Waiting]] = {}
        self._lock = threading.Lock()

    async def do(self, work: Callable[[], T], client: str = "") -> T:
        """The work's result. Raises BusyError, TooSlowError, or what the work raises.

        client: whose work it is. Where this is canceled, work that waits is dropped, and
        `check_wanted` ends what runs.
        """
        future, unwanted = Future[T](), threading.Event()
        with self._lock:
            places = self._waiting - (self._waiting // 4 if self._pending[client] else 0)
            if self._pending.total() >= places:
                raise BusyError
            self._pending[client] += 1
            one = (future, unwanted, work)
            self._turns.setdefault(client, deque()).append(one)
        future.add_done_callback(partial(self._forget, client, one))
        self._pool.submit(self._take_turn)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            raise TooSlowError from None
        finally:
            unwanted.set()

    def _take_turn(self) -> None:
        """Do the oldest work of the client whose last turn is longest ago."""
        with self._lock:
            if not self._turns:
                return  # it was dropped
            client = next(iter(self._turns))
            own = self._turns.pop(client)
            future, unwanted, work = own.popleft()
            if own:
                self._turns[client] = own  # behind all others
        if not future.set_running_or_notify_cancel():
            return
        _thread.unwanted = unwanted
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    def _forget(self, client: str, one: Waiting, _: Future[Any]) -> None:
        """Let go of what is done, or dropped while it waits: it may hold a large request."""
        with self._lock:
            self._pending -= Counter([client])  # and the client, where that was all
            own = self._turns.get(client, deque())
            if one in own:
                own.remove(one)
                if not own:
                    del self._turns[client]

    def close(self) -> None:
        """Drop what waits and end the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for future in [future for own in self._turns.values() for future, *_ in own]:
            future.cancel()
