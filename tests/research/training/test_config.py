"""Fields of configs: read from text as what they are, or refused."""

import math

import pytest

from tintype.errors import DataError
from tintype.research.methods.tintype import Config
from tintype.research.training.config import TrainConfig, check, configure


def test_fields_are_read_as_their_defaults_types():
    settings = {
        "batch": "7", "learning_rate": "2e-3", "grad_clip": "3", "limit": "10", "minutes": "null",
        "precision": "bf16", "data": '["a", "b"]', "widths": "[1, 2]",
    }  # fmt: skip
    config = configure(TrainConfig(minutes=3.0), settings)
    assert settings == {"widths": "[1, 2]"}
    assert config == TrainConfig(
        batch=7,
        learning_rate=2e-3,
        grad_clip=3,
        limit=10,
        minutes=None,
        precision="bf16",
        data=("a", "b"),
    )
    assert configure(Config(), settings).widths == (1, 2)
    assert settings == {}


@pytest.mark.parametrize(("name", "text", "wanted"), [
    ("batch", "many", "a whole number"),
    ("batch", "1.5", "a whole number"),
    ("batch", "true", "a whole number"),
    ("learning_rate", '"fast"', "a number"),
    ("learning_rate", "null", "a number"),
    ("checkpoint_seconds", "", "a number"),
    ("limit", "[1]", "a number or null"),
    ("data", "5", "a JSON list"),
    ("learning_rate", "NaN", "a number"),
    ("learning_rate", "Infinity", "a number"),
    ("grad_clip", "1e400", "a number"),
    ("minutes", "NaN", "a number or null"),
    ("data", "[NaN]", "a JSON list"),
])  # fmt: skip
def test_values_of_another_type_are_refused(name, text, wanted):
    with pytest.raises(DataError) as caught:
        configure(TrainConfig(), {name: text})
    assert str(caught.value) == f"--set {name}: expected {wanted}, found {text!r}"


@pytest.mark.parametrize(("name", "value", "wanted"), [
    ("steps", -5, "1 or more"),
    ("steps", 2.5, "a whole number"),
    ("minutes", -1, "0 or more"),
    ("limit", 0, "1 or more"),
    ("limit", 2.5, "a whole number"),
    ("validate_steps", 0, "1 or more"),
    ("batch", 0, "1 or more"),
    ("size", -1, "1 or more"),
    ("log_steps", 0, "1 or more"),
    ("validation_photos", -1, "0 or more"),
    ("learning_rate", -1, "0 or more"),
    ("crop_size", 100, "a multiple of 8 pixels"),
    ("late_crop_size", 24, "32 or more"),
    ("warmup", 1.5, "0 to 1"),
    ("ema_decay", math.nan, "0 to 1"),
    ("precision", "fp4", "one of auto, no, bf16"),
    ("data", (1,), "a list of paths"),
])  # fmt: skip
def test_fields_that_say_no_run_are_refused(name, value, wanted):
    check(TrainConfig(steps=5))
    with pytest.raises(DataError) as caught:
        check(TrainConfig(**{"steps": 5, name: value}))
    found = repr(value[0] if name == "data" else value)
    assert str(caught.value) == f"{name}: expected {wanted}, found {found}"


@pytest.mark.parametrize("name", ["checkpoint_seconds", "validate_seconds"])
def test_seconds_may_be_whole_or_not(name):
    for text in ("30", "0.5"):
        config = configure(TrainConfig(), {name: text})
        assert getattr(config, name) == float(text)
