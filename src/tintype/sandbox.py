"""Work on files of strangers, in a process of its own that ends with its time and its memory.

    caller ──work, pickled──▶ child: limits ──▶ result, pickled, its arrays beside it
       └── kills the child when the time is up, and starts another

A file can be within every limit on size and yet cost minutes or gigabytes. What a decoder does with
it cannot be interrupted in this process, but a process can be ended. The child has the rights of
its parent: it bounds costs, and is no wall against code.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from tintype.errors import PhotoError, TintypeError
from tintype.formats.cost import is_ordinary

T = TypeVar("T")

_MAIN = "from tintype.sandbox import _serve; _serve()"
# Memory that threads set aside, and do not use, counts as well.
_FRUGAL = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class Sandbox:
    """A child process that does one piece of work after the other, each within limits.

    It is started at once and stays warm; a child that was ended is replaced.
    """

    def __init__(self, *, seconds: float = 20.0, megabytes: int = 1000, niceness: int = 0) -> None:
        """seconds: for one piece of work; megabytes: what it may take beyond an idle child's.

        niceness: 0..19, how much the child lets others go first (POSIX)
        """
        self.seconds, self.megabytes, self.niceness = seconds, megabytes, niceness
        self._lock = threading.Lock()
        self._closed = False
        self._start()

    def do(self, work: Callable[[], T], name: str = "the image") -> T:
        """The result of work that can be pickled, done by the child.

        name: of the file, for errors. Raises what the work raises, if that is a TintypeError, and
        PhotoError where it took too long or too much, or ended its process.
        """
        with self._lock:
            if self._process.poll() is not None:  # somebody ended it while it was idle
                self._restart()
            over = threading.Event()
            timer = threading.Timer(self.seconds, self._end, (over,))
            timer.start()
            try:
                _send(self._process.stdin, work)
                error, result = _receive(self._process.stdout)
            except (OSError, EOFError):
                over.set()
                error = EOFError()
            finally:
                late = not timer.is_alive()
                timer.cancel()
                timer.join()
                if over.is_set():
                    self._restart()
        if isinstance(error, TintypeError):
            raise error
        if error is not None:
            found = {MemoryError: "one that takes more", EOFError: "one that ended its reader"}
            what = f"more than {self.seconds:g} s" if late else found[type(error)]
            raise PhotoError(
                f"{name}: expected one that is read in {self.seconds:g} s and {self.megabytes} MB, "
                f"found {what}; save it anew as PNG",
                kind="costly",
                seconds=self.seconds,
                megabytes=self.megabytes,
            )
        value: T = result
        return value

    def close(self) -> None:
        """End the child, in the middle of its work as well."""
        self._closed = True
        self._finalizer()

    def _start(self) -> None:
        limits = (self.seconds, self.megabytes, self.niceness)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _MAIN, *map(str, limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # decoders complain there, in lines of their own
            env=os.environ | _FRUGAL | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            pipesize=1 << 20,
        )
        self._finalizer = weakref.finalize(self, _kill, self._process)

    def _restart(self) -> None:
        self._finalizer()
        if not self._closed:
            self._start()

    def _end(self, over: threading.Event) -> None:
        over.set()
        self._process.kill()


def read_bounded(source: str | bytes, read: Callable[[Any], T]) -> T:
    """What `read`, which can be pickled, makes of a file: a path or its bytes.

    A file that is built as photos are is read here; any other, of which nobody knows what it costs,
    by a child within 60 s and 4 GB. Raises what `read` raises, and PhotoError as `Sandbox.do`.
    """
    try:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError:
        return read(source)  # which says what is wrong
    if is_ordinary(content):
        return read(source)
    del content
    try:
        sandbox = _idle.pop()
    except IndexError:  # each thread that reads has one
        sandbox = Sandbox(seconds=60, megabytes=4000)
    try:
        return sandbox.do(partial(read, source), _name(source))
    finally:
        _idle.append(sandbox)


_idle: list[Sandbox] = []  # children that wait for a file to read


def _name(source: str | bytes) -> str:
    return "the image" if isinstance(source, bytes) else source


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        with suppress(OSError):  # what was not sent yet has nobody to go to
            if stream is not None:
                stream.close()


def _send(stream: IO[bytes] | None, value: object) -> None:
    """Pickle a value; its arrays follow as they are, without a copy."""
    assert stream is not None
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, 5, buffer_callback=buffers.append)
    parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    sizes = pickle.dumps([part.nbytes for part in parts])
    stream.write(len(sizes).to_bytes(8, "little") + sizes)
    for part in parts:
        stream.write(part)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> Any:
    """What `_send` sent; arrays are read-only. Raises EOFError where the other side is gone."""
    assert stream is not None
    count = int.from_bytes(_read(stream, 8), "little")
    head, *raws = [_read(stream, size) for size in pickle.loads(_read(stream, count))]
    return pickle.loads(head, buffers=raws)


def _read(stream: IO[bytes], size: int) -> memoryview:
    content = memoryview(bytearray(size))
    read = 0
    while read < size:
        more = stream.readinto(content[read:])  # type: ignore[attr-defined]
        if not more:
            raise EOFError
        read += more
    return content.toreadonly()


def _serve() -> None:
    """The child: do what comes, until nothing comes any more."""
    seconds, megabytes = float(sys.argv[1]), int(sys.argv[2])
    stdin, stdout = (os.fdopen(os.dup(fd), mode) for fd, mode in ((0, "rb"), (1, "wb")))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing that a library prints is an answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    import tintype.photo  # noqa: F401  so that the first work need not wait for it

    _limit_memory(megabytes)
    if sys.platform != "win32":
        os.nice(int(sys.argv[3]))
    with suppress(EOFError):
        while True:
            work = _receive(stdin)
            _limit_time(2 * seconds)
            _send(stdout, _try(work))
            _limit_time(0)  # an idle child may wait for as long as it likes
            del work


def _try(work: Callable[[], object]) -> tuple[Exception | None, object]:
    """What work raises, in few words, or gives."""
    try:
        return None, work()
    except Exception as error:
        if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
            return MemoryError(), None
        if isinstance(error, TintypeError):
            return error, None
        return PhotoError(f"the image: expected one that can be read, found {error!r:.200}"), None


def _limit_memory(megabytes: int) -> None:
    """Bound what this process writes to, where the platform can (Linux)."""
    try:
        import resource

        idle = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        limit = idle + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except (ImportError, OSError, ValueError):
        return


def _limit_time(seconds: float) -> None:
    """End this process after a time, should its parent be gone by then (POSIX); 0: not at all."""
    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
