"""What a run tells of its pace."""

import time

import pytest
import torch

from tintype.research.training.log import Pace


def test_waiting_is_a_share_of_the_time():
    pace = Pace(100, torch.device("cpu"))
    for _ in range(2):
        with pace.count_wait():
            time.sleep(0.05)
        time.sleep(0.1)
        row = pace.measure(130)
        assert 0.1 < row["waited"] < 0.9
        assert 0 <= row["photos_per_s"] <= 300
    assert row["photos_per_s"] == 0  # none since the last row


def test_a_gpu_waits_from_the_end_of_its_work_not_from_when_its_host_does(monkeypatch):
    class Event:
        """A moment that a GPU will reach."""

        moments = iter([10.0, 10.0, 30.0, 80.0])  # milliseconds

        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            self.moment = next(self.moments)

        def elapsed_time(self, later):
            return later.moment - self.moment

    now = iter([0.0, 0.2, 0.3])
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    pace = Pace(0, torch.device("cuda"))
    for _ in range(2):  # in the first its queue is full, in the second it stands still
        with pace.count_wait():
            pass
    assert pace.measure(10) == {"photos_per_s": pytest.approx(50), "waited": pytest.approx(0.25)}
