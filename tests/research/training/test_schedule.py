"""The learning rate over a run, and fields of runs that had other names."""

import pytest

from research.conftest import SETTINGS, run_config
from tintype.research.methods import checkpoint
from tintype.research.training import loop
from tintype.research.training.schedule import cosine_with_warmup


@pytest.mark.parametrize("steps", [10, 1000])
def test_warmup_is_a_share_of_the_run(steps):
    factors = [cosine_with_warmup(i / steps, (i + 1) / steps, 0.2) for i in range(steps)]
    assert factors.index(max(factors)) == pytest.approx(0.2 * steps, abs=2)
    assert 0 < factors[0] < 0.6
    assert cosine_with_warmup(1.0, 1.0, 0.2) == pytest.approx(0.01)
    assert cosine_with_warmup(0.0, 0.001, 0.0) == 1.0


@pytest.mark.usefixtures("quick")
def test_first_steps_are_counted_as_steps_of_the_run(photos, narrow, tmp_path):
    """Not as the batches that make a step."""
    given = {"vgg": str(narrow), "connected": "16", "first_steps": "3"}
    config = run_config(photos, 4, method="fenu2016", accumulate=2)
    loop.train(tmp_path / "run", config, given, resume=False)
    for name in ("model.safetensors", "last.safetensors"):
        tensors, about = checkpoint.load(tmp_path / "run" / name)
        assert about["step"] == 4
        assert {int(t) for name, t in tensors.items() if name.endswith("steps")} == {4}


def test_a_run_with_old_names_goes_on(run, photos, tmp_path):
    tensors, about = checkpoint.load(run / "last.safetensors")
    old = {new: name for name, new in checkpoint.FORMER_FIELDS.items()}
    about["run"] = {old.get(name, name): value for name, value in about["run"].items()}
    checkpoint.save(tmp_path / "last.safetensors", tensors, about)
    assert about["run"]["rate"] == 0.0125
    assert not set(old) & set(about["run"])
    given = run_config(photos, 50, learning_rate=0.0125, warmup=1.0)
    loop.train(tmp_path, given, SETTINGS, resume=True)
    _, about = checkpoint.load(tmp_path / "model.safetensors")
    assert about["run"]["crop_size"] == 32
    assert about["run"]["learning_rate"] == 0.0125
    assert about["step"] == 50
