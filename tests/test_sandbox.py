"""Work in a process that ends with its time and its memory; the next work finds another."""

import ctypes
import os
import signal
import time
from functools import partial

import numpy as np
import pytest
from bombs import (
    make_avif_that_claims_less,
    make_jpeg_of_comments,
    make_jpeg_of_scans,
    make_png_of_chunks,
    make_tiff_of_a_huge_tile,
)
from skimage import data

from tintype.errors import PhotoError
from tintype.photo import read
from tintype.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    made = Sandbox(seconds=20, megabytes=300)
    yield made
    made.close()


def test_a_photo_is_the_same_as_when_it_is_read_here(sandbox, folder):
    for name in ("cat.jpg", "coffee.png"):
        content = (folder / name).read_bytes()
        here, there = read(content), sandbox.do(partial(read, content))
        np.testing.assert_array_equal(there.luma, here.luma)
        assert (there.format, there.metadata) == (here.format, here.metadata)
        assert not there.luma.flags.writeable


def test_what_is_wrong_with_a_photo_comes_back(sandbox):
    with pytest.raises(PhotoError, match="expected an image"):
        sandbox.do(partial(read, b"no photo"))
    with pytest.raises(PhotoError, match="found ZeroDivisionError"):
        sandbox.do(partial(divmod, 1, 0))


def test_it_lets_others_go_first_if_it_is_to(sandbox):
    niceness = partial(os.getpriority, os.PRIO_PROCESS, 0)
    kind = Sandbox(niceness=3)
    assert kind.do(niceness) == min(19, sandbox.do(niceness) + 3)
    kind.close()


def test_it_stays_warm(sandbox):
    pid = sandbox.do(os.getpid)
    assert sandbox.do(os.getpid) == pid != os.getpid()


def test_an_idle_child_waits_as_long_as_it_takes():
    sandbox = Sandbox(seconds=1.5)
    pid = sandbox.do(os.getpid)
    time.sleep(3.3)  # more than twice its time for work, after which an orphan ends itself
    assert sandbox.do(os.getpid) == pid
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)
    assert sandbox.do(os.getpid) != pid
    sandbox.close()


def test_work_that_takes_too_long_is_ended_and_the_next_is_done():
    sandbox = Sandbox(seconds=1.5, megabytes=300)
    pid = sandbox.do(os.getpid)
    began = time.monotonic()
    with pytest.raises(
        PhotoError, match=r"scan\.jpg: expected .* 1\.5 s .* found more than 1\.5 s"
    ):
        sandbox.do(partial(time.sleep, 60), "scan.jpg")
    assert time.monotonic() - began < 4
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert sandbox.do(partial(divmod, 7, 2)) == (3, 1)
    sandbox.close()


def test_work_that_takes_too_much_memory_is_refused(sandbox):
    assert sandbox.do(partial(np.ones, 200 << 20, np.uint8)).nbytes == 200 << 20
    with pytest.raises(PhotoError, match="300 MB, found one that takes more"):
        sandbox.do(partial(np.ones, 400 << 20, np.uint8))
    assert sandbox.do(partial(divmod, 7, 2)) == (3, 1)


def test_work_that_ends_its_process_is_refused_and_the_next_is_done(sandbox):
    for crash in (partial(os._exit, 0), partial(ctypes.string_at, 0)):
        with pytest.raises(PhotoError, match="found one that ended its reader"):
            sandbox.do(crash)
        assert sandbox.do(partial(divmod, 7, 2)) == (3, 1)


def test_what_a_library_prints_is_no_answer(sandbox):
    assert sandbox.do(partial(os.write, 1, b"noise")) == 5
    assert sandbox.do(partial(print, "noise", flush=True)) is None


def test_a_child_is_gone_when_its_sandbox_is():
    sandbox = Sandbox()
    pid = sandbox.do(os.getpid)
    del sandbox
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


BOMBS = {
    "scans": partial(make_jpeg_of_scans, 2000, 20_000),
    "comments": partial(make_jpeg_of_comments, 10_000_000),
    "chunks": partial(make_png_of_chunks, 4_000_000),
    "tile": partial(make_tiff_of_a_huge_tile, 12_000),
    "avif": partial(make_avif_that_claims_less, 15_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_with_their_time_or_memory(name):
    sandbox = Sandbox(seconds=1.5, megabytes=100)
    sandbox.do(os.getpid)
    content = BOMBS[name]()
    began = time.monotonic()
    with pytest.raises(PhotoError, match=r"1\.5 s and 100 MB, found|damaged data"):  # of libtiff
        sandbox.do(partial(read, content))
    assert time.monotonic() - began < 5
    assert sandbox.do(partial(read, data.camera())).size == (512, 512)
    sandbox.close()
