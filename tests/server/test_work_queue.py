"""Work waits its turn, in a bounded number and for a bounded time."""

import asyncio
import gc
import threading
import weakref

import pytest

from tintype.server.work_queue import (
    BusyError,
    TooSlowError,
    UnwantedError,
    WorkQueue,
    check_wanted,
)


def test_work_beyond_the_queue_is_refused_and_the_queue_recovers():
    async def main():
        queue, go = WorkQueue(1, waiting=2, seconds=20), threading.Event()
        first, second = (asyncio.ensure_future(queue.do(go.wait)) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await queue.do(go.wait)
        go.set()
        assert await first
        assert await second
        assert await queue.do(lambda: 5) == 5
        queue.close()

    asyncio.run(main())


def test_slow_work_is_given_up_on_but_still_counts_until_it_ends():
    async def main():
        queue, go = WorkQueue(1, waiting=1, seconds=0.05), threading.Event()
        with pytest.raises(TooSlowError):
            await queue.do(go.wait)
        with pytest.raises(BusyError):
            await queue.do(go.wait)
        go.set()
        for _ in range(200):
            await asyncio.sleep(0.01)
            try:
                assert await queue.do(lambda: 5) == 5
                break
            except BusyError:
                continue
        else:
            pytest.fail("the queue did not recover")
        queue.close()

    asyncio.run(main())


def test_work_that_nobody_waits_for_is_dropped_and_what_runs_is_told():
    async def main():
        queue, begun, go, found = WorkQueue(1, waiting=4, seconds=20), [], threading.Event(), []

        def work(name):
            begun.append(name)
            check_wanted()
            go.wait(10)
            try:
                check_wanted()
            except UnwantedError:
                found.append(name)

        first, second = (asyncio.ensure_future(queue.do(lambda n=n: work(n))) for n in "ab")
        while not begun:
            await asyncio.sleep(0.01)
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        go.set()
        await queue.do(lambda: work("c"))
        assert (begun, found) == (["a", "c"], ["a"])
        queue.close()

    check_wanted()  # elsewhere it says nothing
    asyncio.run(main())


def test_what_is_dropped_is_let_go_of_at_once():
    """A flood of large requests that nobody waits for is not kept until the running work ends."""

    class Large(threading.Event):
        pass

    async def main():
        queue, go, large = WorkQueue(1, waiting=4, seconds=20), threading.Event(), Large()
        kept = weakref.ref(large)
        first = asyncio.ensure_future(queue.do(go.wait))
        second = asyncio.ensure_future(queue.do(large.is_set))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        del large, second  # whose traceback holds it, too
        await asyncio.sleep(0)  # and so does what it tells next
        gc.collect()
        assert kept() is None
        go.set()
        assert await first
        assert await queue.do(lambda: 5) == 5
        queue.close()

    asyncio.run(main())


def test_errors_of_the_work_come_through():
    async def main():
        queue = WorkQueue(1, waiting=1, seconds=5)
        with pytest.raises(ZeroDivisionError):
            await queue.do(lambda: 1 // 0)
        queue.close()

    asyncio.run(main())


def test_clients_take_turns_and_a_newcomer_finds_a_place():
    """Of 8 places one client gets 6, and who comes then waits for the running work alone."""

    async def main():
        queue, go, done = WorkQueue(1, waiting=8, seconds=20), threading.Event(), []
        greedy = [asyncio.ensure_future(queue.do(go.wait, "greedy"))]
        greedy += [
            asyncio.ensure_future(queue.do(lambda n=n: done.append(n), "greedy")) for n in range(9)
        ]
        await asyncio.sleep(0)
        others = [
            asyncio.ensure_future(queue.do(lambda n=n: done.append(n), n)) for n in ("one", "two")
        ]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await queue.do(go.wait, "three")
        go.set()
        answers = await asyncio.gather(*greedy, *others, return_exceptions=True)
        assert [type(a) for a in answers].count(BusyError) == 4
        assert done == [0, "one", "two", 1, 2, 3, 4]
        assert await queue.do(lambda: 5, "greedy") == 5
        queue.close()

    asyncio.run(main())


def test_work_that_was_given_up_on_is_not_done():
    async def main():
        queue, go, done = WorkQueue(1, waiting=4, seconds=0.5), threading.Event(), []
        first = asyncio.ensure_future(queue.do(go.wait))
        await asyncio.sleep(0)
        with pytest.raises(TooSlowError):
            await queue.do(lambda: done.append("late"))
        with pytest.raises(TooSlowError):
            await first
        go.set()
        assert await queue.do(lambda: 5) == 5
        assert done == []
        queue.close()

    asyncio.run(main())
