"""VGG-16: torchvision's names, a teacher's conventions, pinning, and a download that is checked."""

import hashlib
import http.server
import io
import socket
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from tintype.errors import DataError
from tintype.research.methods import checkpoint, vgg16

WIDTHS = (4, 6, 8, 8, 8)
NAMES = {0: "1_1", 2: "1_2", 5: "2_1", 7: "2_2", 10: "3_1", 12: "3_2", 14: "3_3"}
CAFFE_MEAN = (103.939, 116.779, 123.68)  # BGR


@pytest.fixture
def network():
    torch.manual_seed(1)
    return vgg16.Vgg16(WIDTHS)


def photo(height=32, width=48):
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(2))


# --- the network ----------------------------------------------------------------------------------


def test_names_and_shapes_are_torchvisions():
    """Written out from the published layout: thirteen convolutions and five pools in a row."""
    layout = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]
    expected, place, inputs = {}, 0, 3
    for width in layout:
        if width:
            expected[f"features.{place}.weight"] = (width, inputs, 3, 3)
            expected[f"features.{place}.bias"] = (width,)
            inputs = width
        place += 2 if width else 1
    state = {name: tuple(t.shape) for name, t in vgg16.Vgg16().state_dict().items()}
    assert state.pop("mean") == (3,)
    assert state == expected
    assert sum(np.prod(shape) for shape in state.values()) == 14_714_688


@torch.no_grad()
def test_the_taps_are_those_of_a_plain_sequence(network):
    layers = []
    for number in range(30):
        if f"features.{number}.weight" in network.state_dict():
            layers += [network.features[str(number)], nn.ReLU()]
        elif number in (4, 9, 16, 23):
            layers.append(nn.MaxPool2d(2))
    mean, deviation = (torch.tensor(x).view(3, 1, 1) for x in (vgg16.MEAN, vgg16.DEVIATION))
    x = (photo() - mean) / deviation
    outputs = [x := layer(x) for layer in layers]
    ends = (3, 8, 15, 22, 29)  # the ReLU of the last convolution of each stage
    for tap, end in zip(network(photo()), ends, strict=True):
        torch.testing.assert_close(tap, outputs[end])


@pytest.mark.parametrize("stages", [1, 4, 5])
@torch.no_grad()
def test_shapes_also_of_odd_sizes(network, stages):
    taps = network(photo(33, 50), stages)
    assert [tuple(t.shape[1:]) for t in taps] == [
        (width, 33 >> i, 50 >> i) for i, width in enumerate(WIDTHS[:stages])
    ]


# --- files ----------------------------------------------------------------------------------------


def same(one, two):
    assert one.widths == two.widths
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name]), name


def test_a_saved_network_comes_back(network, tmp_path):
    network.mean.fill_(0.4)
    vgg16.save(network, tmp_path / "own.safetensors", {"trained on": "nothing"})
    same(vgg16.load(tmp_path / "own.safetensors"), network)


def torchvision_state(network):
    state = {k: v for k, v in network.state_dict().items() if k != "mean"}
    return state | {"classifier.0.weight": torch.ones(3, 3), "classifier.0.bias": torch.ones(3)}


def test_torchvisions_files_load_as_they_are(network, tmp_path):
    state = torchvision_state(network)
    torch.save(state, tmp_path / "vgg16.pth")
    save_file(state, tmp_path / "vgg16.safetensors")
    for name in ("vgg16.pth", "vgg16.safetensors"):
        loaded = vgg16.load(tmp_path / name)
        same(loaded, network)
        torch.testing.assert_close(loaded.mean, torch.tensor([0.485, 0.456, 0.406]))


class Evil:
    def __reduce__(self):
        return (print, ("executed",))


def test_a_pickle_that_runs_code_is_refused(tmp_path, capsys):
    torch.save({"features.0.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(DataError, match="expected VGG-16's weights, found none"):
        vgg16.load(tmp_path / "evil.pth")
    assert capsys.readouterr().out == ""


def cut(state, path):
    torch.save(state, path)
    path.write_bytes(path.read_bytes()[:-200])


def of_other_things(state, path):
    torch.save({**state, "epoch": 3}, path)


def incomplete(state, path):
    torch.save({k: v for k, v in state.items() if not k.startswith("features.28")}, path)


def misshapen(state, path):
    torch.save({**state, "features.2.weight": torch.ones(4, 5, 3, 3)}, path)


@pytest.mark.parametrize(("make", "found"), [
    (lambda *_: None, "expected VGG-16's weights, found none"),
    (lambda _, path: path.write_text("a page of text"), "expected VGG-16's weights, found none"),
    (cut, "expected VGG-16's weights, found none"),
    (of_other_things, "expected VGG-16's named tensors, found something else"),
    (incomplete, "expected VGG-16's features.28.bias, found none"),
    (misshapen, "expected VGG-16's convolutions, found others: size mismatch for features.2"),
], ids=["missing", "text", "cut", "more than tensors", "incomplete", "misshapen"])  # fmt: skip
def test_what_is_no_vgg_is_refused_in_one_line(network, tmp_path, make, found):
    path = tmp_path / "vgg.pth"
    make(torchvision_state(network), path)
    with pytest.raises(DataError) as caught:
        vgg16.load(path)
    assert str(caught.value).startswith(f"{path}: {found}")
    assert "\n" not in str(caught.value)


# --- the teacher ----------------------------------------------------------------------------------


@pytest.fixture
def arrays():
    """A teacher's first seven layers, as they take BGR, 0..255, minus its mean."""
    rng = np.random.default_rng(3)
    widths = {"1_1": (4, 3), "1_2": (4, 4), "2_1": (6, 4), "2_2": (6, 6)}
    widths |= {"3_1": (8, 6), "3_2": (8, 8), "3_3": (8, 8)}
    made = {}
    for name, (outputs, inputs) in widths.items():
        kernel = rng.normal(0, (2 / 9 / inputs) ** 0.5, (outputs, inputs, 3, 3))
        made[f"conv{name}.weight"] = kernel.astype(np.float32)
        made[f"conv{name}.bias"] = rng.normal(0, 0.1, outputs).astype(np.float32)
    made["conv1_1.weight"] /= 60
    return made


@torch.no_grad()
def test_a_teacher_gives_the_same_features_at_the_borders_too(arrays, network, tmp_path):
    np.savez(tmp_path / "teacher.npz", **arrays)
    x = 255 * photo().flip(1) - torch.tensor(CAFFE_MEAN).view(3, 1, 1)
    expected = []
    for stage, layers in enumerate((("1_1", "1_2"), ("2_1", "2_2"), ("3_1", "3_2", "3_3"))):
        x = F.max_pool2d(x, 2) if stage else x
        for name in layers:
            kernel, bias = (torch.from_numpy(arrays[f"conv{name}.{p}"]) for p in ("weight", "bias"))
            x = F.relu(F.conv2d(x, kernel, bias, padding=1))
        expected.append(x)
    found = vgg16.from_teacher(tmp_path / "teacher.npz", network)(photo(), 3)
    for tap, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(tap, wanted, atol=1e-4, rtol=1e-4)


def test_later_layers_are_kept(arrays, network, tmp_path):
    np.savez(tmp_path / "teacher.npz", **arrays)
    state = vgg16.from_teacher(tmp_path / "teacher.npz", network).state_dict()
    for number in (17, 19, 21, 24, 26, 28):
        name = f"features.{number}.weight"
        assert torch.equal(state[name], network.state_dict()[name])
    for number in NAMES:
        name = f"features.{number}.weight"
        assert not torch.equal(state[name], network.state_dict()[name])


@pytest.mark.parametrize(("change", "found"), [
    ({"conv1_1.weight": np.ones((4, 5, 3, 3), np.float32)}, "conv1_1.weight [4, 5, 3, 3]"),
    ({"conv1_3.bias": np.ones(8, np.float32)}, "conv1_3.bias"),
    ({"fc6.weight": np.ones(8, np.float32)}, "fc6.weight"),
])  # fmt: skip
def test_a_teacher_of_another_kind_is_refused(arrays, network, tmp_path, change, found):
    np.savez(tmp_path / "teacher.npz", **{**arrays, **change})
    with pytest.raises(DataError) as caught:
        vgg16.from_teacher(tmp_path / "teacher.npz", network)
    assert found in str(caught.value)


def test_what_is_no_teacher_is_refused(network, tmp_path):
    with pytest.raises(DataError, match=r"expected an \.npz of VGG-16, found none"):
        vgg16.from_teacher(tmp_path / "missing.npz", network)
    np.savez(tmp_path / "empty.npz")
    with pytest.raises(DataError, match=r"expected VGG-16's conv1_1\.weight, found none"):
        vgg16.from_teacher(tmp_path / "empty.npz", network)


# --- pinning --------------------------------------------------------------------------------------


def test_a_pinned_network_has_nothing_to_train_and_stores_its_fingerprint_alone(narrow):
    pinned = vgg16.load_pinned(str(narrow))
    assert not list(pinned.parameters())
    assert list(pinned.state_dict()) == ["fingerprint"]
    assert pinned.fingerprint.shape == (32,)


@torch.no_grad()
def test_a_pinned_network_sees_gray_as_rgb(narrow):
    gray = photo()[:, :1]
    taps = vgg16.load_pinned(str(narrow))(gray)
    for tap, wanted in zip(taps, vgg16.load(narrow)(gray.repeat(1, 3, 1, 1)), strict=True):
        torch.testing.assert_close(tap, wanted)


def test_a_pinned_network_moves_with_its_owner(narrow):
    half = nn.Sequential(vgg16.load_pinned(str(narrow))).to(torch.float64)
    assert {b.dtype for b in half.buffers()} == {torch.float64, torch.uint8}


def test_a_checkpoint_over_another_vgg_is_refused(narrow, network, tmp_path):
    vgg16.save(network, tmp_path / "other.safetensors", {})
    owner = nn.Sequential(vgg16.load_pinned(str(narrow)))
    other = nn.Sequential(vgg16.load_pinned(str(tmp_path / "other.safetensors")))
    nn.Sequential(vgg16.load_pinned(str(narrow))).load_state_dict(owner.state_dict())
    with pytest.raises(DataError, match="vgg: expected the file that the checkpoint"):
        other.load_state_dict(owner.state_dict())


def test_no_file_is_no_vgg():
    with pytest.raises(DataError, match="vgg: expected a file of VGG-16's weights"):
        vgg16.load_pinned("")


# --- the download ---------------------------------------------------------------------------------


class Server:
    """Serves one file; `promised` bytes are announced, whatever is sent."""

    def __init__(self, content: bytes, promised: int | None = None) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(promised or len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def published(network):
    """A file as torchvision publishes it, and its name."""
    buffer = io.BytesIO()
    torch.save(torchvision_state(network), buffer)
    content = buffer.getvalue()
    return content, f"vgg16-{hashlib.sha256(content).hexdigest()[:8]}.pth"


def refused(folder, url, found):
    target = folder / "weights" / "vgg16.safetensors"
    with pytest.raises(DataError) as caught:
        vgg16.fetch(target, url)
    assert str(caught.value).startswith(url)
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [p for p in folder.rglob("*") if p.is_file()]


def test_fetching_checks_converts_and_leaves_one_file(published, network, tmp_path):
    content, name = published
    target = tmp_path / "weights" / "vgg16.safetensors"
    with Server(content) as address:
        vgg16.fetch(target, f"{address}/models/{name}")
    assert [p.name for p in target.parent.iterdir()] == ["vgg16.safetensors"]
    same(vgg16.load(target), network)
    assert all(not key.startswith("classifier") for key in load_file(target))
    _, about = checkpoint.load(target)
    assert about["source"].endswith(name)
    assert about["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_file_with_another_hash_is_refused(published, tmp_path):
    content, _ = published
    with Server(content) as address:
        found = f"expected sha256 00000000..., found {hashlib.sha256(content).hexdigest()[:12]}"
        refused(tmp_path, f"{address}/vgg16-00000000.pth", found)


def test_an_interrupted_download_is_refused(published, tmp_path):
    content, name = published
    with Server(content[:-1000], promised=len(content)) as address:
        refused(tmp_path, f"{address}/{name}", f"expected {len(content)} bytes")


def test_without_a_network_there_is_one_line(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nothing listens
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/vgg16-00000000.pth"
        refused(tmp_path, url, "found no way")


def test_a_url_without_a_hash_is_refused(tmp_path):
    refused(tmp_path, "http://127.0.0.1/vgg16.pth", "expected a name that ends in -HASH.pth")


def test_an_older_file_stays_where_fetching_fails(published, network, tmp_path):
    target = tmp_path / "vgg16.safetensors"
    vgg16.save(network, target, {})
    with Server(published[0]) as address, pytest.raises(DataError):
        vgg16.fetch(target, f"{address}/vgg16-00000000.pth")
    same(vgg16.load(target), network)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]
