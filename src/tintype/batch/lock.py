"""One run at a time in a folder; a kill ends that too."""

import sys
from typing import IO, Any


def taken(file: IO[Any]) -> bool:
    """Lock an open file until it is closed; False where another run holds it. Raises OSError."""
    if sys.platform == "win32":  # has no fcntl: there, people must not start two runs
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
