"""Recognition and the Fréchet distance: by hand, and beside SciPy's root of a matrix."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from scipy import linalg

from research.conftest import scene
from tintype.cli import cli
from tintype.research.evaluation.mobilenetv2 import Layer, MobileNetV2
from tintype.research.evaluation.recognition import Classifier, View, compare, frechet


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A MobileNetV2 of random weights, as the published one's file has them."""
    rng, arrays = np.random.default_rng(0), {}
    layers = [module for module in MobileNetV2().modules() if isinstance(module, Layer)]
    for i, layer in enumerate(layers):
        shape = layer.weight.shape
        kernel = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        order = (1, 2, 3, 0) if layer.groups > 1 else (0, 2, 3, 1)
        arrays[f"{i:02}.bias"] = rng.normal(0, 0.1, len(layer.bias)).astype(np.float32)
        arrays[f"{i:02}.weight"] = kernel.transpose(order).astype(np.float32)
    path = tmp_path_factory.mktemp("classifier") / "classifier.npz"
    np.savez(path, **arrays)
    return path


def moments_distance(one, other):
    """Heusel et al. 2017, equation 6, by the root of the covariances' product."""
    gap = one.mean(0) - other.mean(0)
    covariances = [np.cov(x, rowvar=False) for x in (one, other)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    return gap @ gap + np.trace(covariances[0] + covariances[1] - 2 * root)


@pytest.mark.parametrize("seed", range(4))
def test_the_distance_is_that_of_gaussians_with_the_same_moments(seed):
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(6, 6))
    one, other = rng.normal(size=(40, 6)) @ mix, rng.normal(0.5, 2, (70, 6))
    assert frechet(one, other) == pytest.approx(moments_distance(one, other))
    assert frechet(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet(one, one + 2) == pytest.approx(6 * 2**2)


def views(labels, features):
    return [View(label, row) for label, row in zip(labels, features, strict=True)]


def test_recognition_counts_photos_and_closes_the_gap():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(100, 8))
    labels = np.arange(100)
    wrong = labels + 1000
    truth = views(labels, true)
    gray = views(np.where(labels < 60, labels, wrong), true + 1)
    colored = views(np.where(labels < 70, labels, wrong), true + 0.5)
    found = compare(colored, gray, truth)
    assert found["recognized"] == 70
    assert found["closed"] == pytest.approx(25)
    assert found["frechet"] == pytest.approx(8 * 0.25)
    for name in ("recognized", "closed", "frechet"):
        low, high = found[f"{name}_interval"]
        assert low <= found[name] <= high
    assert 60 < found["recognized_interval"][0] < 64  # binomial: 70 - 1.96 * 4.6 = 61
    assert found["closed_interval"][0] > 5  # gains on the same photos vary less than both
    assert compare(gray, gray, truth)["closed"] == 0
    assert compare(truth, gray, truth)["closed"] == 100
    worse = views(np.where(labels < 40, labels, wrong), true)
    assert compare(worse, gray, truth)["closed"] == pytest.approx(-50)


def test_the_interval_of_the_distance_narrows_with_more_photos():
    rng = np.random.default_rng(0)
    widths = []
    for count in (60, 600):
        one, other = rng.normal(size=(2, count, 5))
        truth = views(np.zeros(count, int), other)
        low, high = compare(views(np.zeros(count, int), one), truth, truth)["frechet_interval"]
        widths.append(high - low)
    assert widths[1] < 0.5 * widths[0]


def test_the_classifier_sees_the_middle_square(file):
    classifier = Classifier(file)
    photo = scene(300, 200, 1)
    seen = classifier.view(photo)
    assert seen.features.shape == (1280,)
    middle = np.asarray(Image.fromarray(photo[:, 50:250]).resize((224, 224)))
    unit = torch.from_numpy(middle.astype(np.float32) / 255).permute(2, 0, 1)[None]
    features, logits = classifier.network(unit)
    np.testing.assert_allclose(seen.features, features[0], atol=1e-4)
    assert seen.label == logits.argmax()
    elsewhere = photo.copy()
    elsewhere[:, :40] = 0
    np.testing.assert_array_equal(classifier.view(elsewhere).features, seen.features)
    assert np.abs(classifier.view(photo[::-1]).features - seen.features).max() > 1e-4


def test_the_command_says_what_a_classifier_sees(exported, file, tmp_path):
    for seed in range(4):
        Image.fromarray(scene(64, 48, seed)).save(tmp_path / f"{seed}.png")
    given = ["evaluate", "--model", str(exported[0]), "--data", str(tmp_path), "--no-steering"]
    done = CliRunner().invoke(
        cli, [*given, "--classifier", str(file), "-o", str(tmp_path / "out" / "found")]
    )
    assert done.exit_code == 0, done.output
    assert "| truth | 100.0 (100.0 to 100.0) | " in done.output
    rows = json.loads((tmp_path / "out" / "found.json").read_text())["recognition"]
    assert rows["gray"]["closed"] == 0
    assert rows["truth"]["frechet"] == pytest.approx(0, abs=1e-3)
    assert rows["gray"]["frechet"] > 0
    missing = CliRunner().invoke(cli, [*given, "--classifier", str(tmp_path / "none.npz")])
    assert missing.exit_code == 1
    assert "none.npz: expected an .npz of a MobileNetV2" in str(missing.exception)
