"""Which numbers a config takes."""

import math
from collections.abc import Mapping
from typing import Any

from tintype.errors import DataError

AT_LEAST_0, AT_LEAST_1, SHARE = (0, math.inf), (1, math.inf), (0, 1)


def check(config: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise DataError for a field that is not in its range, least and most, or not all of it.

    A list is one of numbers; None is no number, and in any range.
    """
    for name, (least, most) in ranges.items():
        found = getattr(config, name)
        numbers = found if isinstance(found, tuple) else (found,)
        if not all(number is None or least <= number <= most for number in numbers):
            wanted = f"{least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
            raise DataError(f"{name}: expected {wanted}, found {found}")


def check_rising(config: Any, name: str) -> None:
    """Raise DataError for a field whose numbers do not rise, or that has none."""
    found = getattr(config, name)
    if not found or found != tuple(sorted(set(found))):
        raise DataError(f"{name}: expected rising numbers, found {found}")
