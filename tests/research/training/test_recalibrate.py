"""Batch norms that are counted anew when a run is over."""

import torch

from research.conftest import SETTINGS, TINY, fewer_crops, run_config
from tintype.research.data import augmentation, photo_set
from tintype.research.methods import checkpoint
from tintype.research.methods.tintype import Network
from tintype.research.training import loop


def test_norms_are_recalibrated_at_the_size_of_use(run, photos, tmp_path, monkeypatch):
    """The kernels stay, the means are those of large crops, and a second end gives the same."""
    fewer_crops(monkeypatch)
    start = str(run / "model.safetensors")
    config = run_config(photos, 1, start=start, learning_rate=0.0, recalibrate=6, weight_decay=0.0)
    loop.train(tmp_path / "run", config, SETTINGS, resume=False)
    before, _ = checkpoint.load(run / "model.safetensors")
    after, _ = checkpoint.load(tmp_path / "run" / "model.safetensors")
    same = {name for name in after if torch.equal(before[name], after[name])}
    counted = {name for name in after if "running_" in name or "num_batches" in name}
    assert same == after.keys() - counted
    mean = "neck.detail.0.1.running_mean"
    network = Network(TINY)
    network.load_state_dict(before)
    loaded = photo_set.load([str(photos)], size=96)
    index = (~photo_set.hold_out(loaded.keys)).nonzero()[:, 0].repeat(8)
    rgb = augmentation.cut_crops(loaded, index, 64, torch.Generator().manual_seed(0))
    with torch.no_grad():
        gray = (rgb @ torch.tensor([0.299, 0.587, 0.114]))[:, None]
        expected = network.neck.detail[0][0](4 * (gray - 0.5)).mean((0, 2, 3))
    torch.testing.assert_close(after[mean], expected, rtol=0.5, atol=0.15)
    loop.train(tmp_path / "run", config, SETTINGS, resume=True)
    again, _ = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert all(torch.equal(again[name], after[name]) for name in after)
