"""Fields of configs: read from text as what they are, or refused."""

import pytest

from tintype.errors import DataError
from tintype.research.methods.tintype import Config
from tintype.research.training.config import TrainConfig, configure


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


@pytest.mark.parametrize("name", ["checkpoint_seconds", "validate_seconds"])
def test_seconds_may_be_whole_or_not(name):
    for text in ("30", "0.5"):
        config = configure(TrainConfig(), {name: text})
        assert getattr(config, name) == float(text)
