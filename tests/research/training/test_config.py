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
])  # fmt: skip
def test_values_of_another_type_are_refused(name, text, wanted):
    with pytest.raises(DataError) as caught:
        configure(TrainConfig(), {name: text})
    assert str(caught.value) == f"--set {name}: expected {wanted}, found {text!r}"


WHOLE = "a whole number from 1 on"
SIZE = "a multiple of 8 from 32 pixels on"


@pytest.mark.parametrize(("name", "value", "wanted"), [
    ("limit", 0, WHOLE),
    ("limit", 2.5, WHOLE),
    ("limit", math.nan, WHOLE),
    ("validate_steps", 0, WHOLE),
    ("batch", 0, WHOLE),
    ("size", -1, WHOLE),
    ("log_steps", 0, WHOLE),
    ("validation_photos", -1, "a whole number from 0 on"),
    ("crop_size", 100, SIZE),
    ("late_crop_size", 24, SIZE),
    ("warmup", 1.5, "a share, 0 to 1"),
    ("ema_decay", math.nan, "a share, 0 to 1"),
])  # fmt: skip
def test_numbers_that_say_no_run_are_refused(name, value, wanted):
    check(TrainConfig(steps=5))
    with pytest.raises(DataError) as caught:
        check(TrainConfig(steps=5, **{name: value}))
    assert str(caught.value) == f"{name}: expected {wanted}, found {value}"


@pytest.mark.parametrize("name", ["checkpoint_seconds", "validate_seconds"])
def test_seconds_may_be_whole_or_not(name):
    for text in ("30", "0.5"):
        config = configure(TrainConfig(), {name: text})
        assert getattr(config, name) == float(text)
