"""Work on several photos at a time: what order results have, and how many are in hand."""

import itertools
import threading

import pytest

from tintype.parallel import map_in_order, map_unordered


def test_in_order_items_are_taken_as_results_are():
    taken = itertools.count()
    results = map_in_order(str, (next(taken) for _ in range(1000)), 2)
    for number, result in zip(range(50), results, strict=False):
        assert result == str(number)
    assert next(taken) <= 50 + 1 + 8 * 2
    results.close()


def test_in_order_a_slow_item_keeps_its_place():
    later = threading.Event()

    def work(item):
        if item == 0:
            assert later.wait(10)
        later.set() if item == 5 else None
        return item

    assert list(map_in_order(work, range(10), 2)) == list(range(10))


@pytest.mark.parametrize("workers", [1, 3])
def test_unordered_every_item_comes_once_and_no_more_are_in_hand_than_workers(workers):
    lock, now, most = threading.Lock(), 0, 0

    def work(item):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.001)
        with lock:
            now -= 1
        return item

    assert sorted(map_unordered(work, range(50), workers)) == list(range(50))
    assert 1 <= most <= workers


@pytest.mark.parametrize("map_items", [map_in_order, map_unordered])
def test_an_error_ends_the_work(map_items):
    def work(item):
        if item == 3:
            raise ValueError(item)
        return item

    with pytest.raises(ValueError, match="3"):
        list(map_items(work, itertools.count(), 2))
