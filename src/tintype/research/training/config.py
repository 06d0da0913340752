"""What a run can be set to, and how fields of a config are read from text."""

import json
import math
from dataclasses import dataclass, fields, replace
from typing import Any

from tintype.errors import DataError
from tintype.research.methods import ranges
from tintype.research.methods.ranges import AT_LEAST_0, AT_LEAST_1, SHARE

CROP, GRID = 32, 8  # pixels: the smallest crop, and what crops are multiples of


@dataclass(frozen=True)
class TrainConfig:
    """How a run goes; `minutes` or `steps`, whichever ends first, also sets the schedule."""

    method: str = "tintype"
    data: tuple[str, ...] = ()
    minutes: float | None = None
    steps: int | None = None
    seed: int = 0
    batch: int = 48
    crop_size: int = 64  # pixels
    late_crop_size: int = (
        128  # in the last `late_share` of the run every other step sees such crops
    )
    late_share: float = 0.2
    size: int = 128  # photos are shrunk to at most this short side, pixels
    limit: int | None = None  # read only the first photos
    workers: int = 4  # threads of each process that decode packed shards
    learning_rate: float = 1e-3
    warmup: float = 0.02  # share of the run in which the learning rate rises
    weight_decay: float = 0.02
    accumulate: int = 1  # batches to a step
    grad_clip: float = 5.0  # gradient norm
    ema_decay: float = 0.999  # EMA of the weights
    precision: str = "auto"  # no, bf16, or auto: bf16 where the hardware has it
    compile: bool = False  # by torch.compile
    freeze_norms: bool = False  # batch norms stay as they begin, so that photos are on their own
    recalibrate: int = 0  # batches of late crops to count the averaged network's norms on at last
    checkpoint_seconds: float = 60.0
    log_steps: int = 50
    validate_seconds: float = 600.0
    validate_steps: int | None = None  # instead of seconds
    validation_photos: int = 200
    start: str = ""  # a checkpoint whose weights to begin with
    source_weights: str = ""  # e.g. "clothing-small=0.3,camvid=0.3": by the key's first folder


RANGES = {
    **dict.fromkeys(("steps", "batch", "size", "workers", "accumulate", "log_steps"), AT_LEAST_1),
    **dict.fromkeys(("limit", "validate_steps"), AT_LEAST_1),
    **dict.fromkeys(("recalibrate", "validation_photos", "minutes"), AT_LEAST_0),
    **dict.fromkeys(("learning_rate", "weight_decay", "grad_clip"), AT_LEAST_0),
    **dict.fromkeys(("checkpoint_seconds", "validate_seconds"), AT_LEAST_0),
    **dict.fromkeys(("warmup", "late_share", "ema_decay"), SHARE),
    **dict.fromkeys(("crop_size", "late_crop_size"), (CROP, math.inf)),
}
WHOLE = ("steps", "limit", "validate_steps")
PRECISIONS = ("auto", "no", "bf16")


def check(config: TrainConfig) -> None:
    """Raise DataError for fields that say no run."""
    if not config.minutes and not config.steps:
        raise DataError("expected --minutes or --steps, found neither")
    ranges.check(config, RANGES)
    for name in WHOLE:
        if (number := getattr(config, name)) is not None and number % 1:
            raise DataError(f"{name}: expected a whole number, found {number}")
    for name in ("crop_size", "late_crop_size"):
        if (size := getattr(config, name)) % GRID:  # for the blocks of old JPEGs
            raise DataError(f"{name}: expected a multiple of {GRID} pixels, found {size}")
    if config.precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise DataError(f"precision: expected one of {known}, found {config.precision!r}")
    if strange := [path for path in config.data if not isinstance(path, str)]:
        raise DataError(f"data: expected a list of paths, found {strange[0]!r}")


def configure(config: Any, settings: dict[str, str]) -> Any:
    """A dataclass with some fields set from strings, each read as its default's type.

    Consumes what it knows from `settings`, so that what is left is unknown. Raises DataError
    for a value of another type.
    """
    known = {field.name: field.default for field in fields(config)}
    values = {name: settings.pop(name) for name in list(settings) if name in known}
    parsed = {name: _parse(name, text, known[name]) for name, text in values.items()}
    return replace(config, **parsed)


_KINDS: dict[type, tuple[str, tuple[type, ...]]] = {
    tuple: ("a JSON list", (list,)),
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    type(None): ("a number or null", (int, float, type(None))),
}


def _parse(name: str, text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    wanted, kinds = _KINDS[type(default)]
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    parts = value if isinstance(value, list) else [value]
    finite = all(math.isfinite(part) for part in parts if isinstance(part, float))
    if type(value) not in kinds or not finite:  # isinstance would take true for a number
        raise DataError(f"--set {name}: expected {wanted}, found {text!r}")
    return tuple(value) if isinstance(value, list) else value
