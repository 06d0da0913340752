"""A trained run -> the two ONNX files and `model.json` that the base package colors with."""

import copy
import hashlib
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import Tensor, nn

from tintype import color
from tintype.bins import Bins
from tintype.errors import DataError, ModelError
from tintype.files import write_whole
from tintype.model import FORMAT, undo_by_tone
from tintype.research import torch_model
from tintype.research.data import photo_set, shards
from tintype.research.methods import ranges
from tintype.research.methods import tintype as method
from tintype.research.methods.palettes import Palettes
from tintype.research.quantize import quantize
from tintype.research.training.config import configure
from tintype.runtime import ort
from tintype.tones import TONES

LOGITS = 1e-3  # how far the float32 graphs' logits may be from torch's
MEAN, TAIL = 0.5, 3.0  # how far decoded Lab chroma may be, as stored: mean, 99.9th percentile
INPUTS = (  # of the decoder, beside features and keys
    "palette",
    "palette_tones",
    "reference",
    "reference_tones",
    "bias",
    "luma",
    "hint_place",
    "hint_chroma",
    "hint_reach",
)
HALF_FROM = 1024  # tensors of at least so many numbers are stored in half precision


@dataclass(frozen=True)
class Settings:
    """How the exported model is used; by default as was best for the bundled one."""

    side: int = 192  # short side, pixels, at which the network looks at a photo
    temperature: float = 0.8  # of the annealed mean
    calm: float = 0.9  # how much of the rebalancing is taken back at vividness 0
    vivid: float = -0.3  # and at vividness 1
    shadows: float = 0.75  # how far shadows are as at vividness 0 at any other
    vividness: float = 0.6  # the default of the option
    vividness_given: float = 0.35  # the same where a palette is given


RANGES = {
    "side": (32, 4096),
    "temperature": (0.01, 10),
    **dict.fromkeys(("calm", "shadows", "vividness", "vividness_given"), ranges.SHARE),
}


class _Encode(nn.Module):
    def __init__(self, network: method.Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, luma: Tensor) -> tuple[Tensor, ...]:
        network, prototypes = self.network, self.network.prototypes
        features, keys, deep = network.neck(luma, network.backbone(luma))
        pooled = network.palette.pool(deep)
        shares = network.estimate_shares(pooled)
        estimate = network.mix(shares)
        outputs = [*features, keys, estimate.whole, estimate.tones, shares]
        outputs.append(prototypes + 0 * shares[0, :, None, None])
        if network.reference is not None:
            reference = network.mix(network.reference(pooled).softmax(1))
            outputs += [reference.whole, reference.tones]
        return tuple(outputs)


class _Decode(nn.Module):
    """Chroma, and the logits over the temperature, which the exported graphs are compared by."""

    table: Tensor

    def __init__(self, network: method.Network, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature
        self.classify = copy.deepcopy(network.decoder.classify)  # already over the temperature
        for parameter in self.classify.parameters():
            parameter.data /= temperature
        centers = torch.from_numpy(network.config.bins.centers)
        self.register_buffer("table", torch.cat([centers, torch.ones(len(centers), 1)], 1).T)

    def forward(
        self,
        palette: Tensor,
        palette_tones: Tensor,
        reference: Tensor,
        reference_tones: Tensor,
        bias: Tensor,
        luma: Tensor,
        place: Tensor,
        chroma: Tensor,
        reach: Tensor,
        features: list[Tensor],
    ) -> tuple[Tensor, Tensor]:
        """As in `method.decode`; bias: (1, count, 3), of the logits, by tone; luma: as small."""
        decoder = self.network.decoder
        target = Palettes(palette, palette_tones)
        hinted, sure = decoder.field(features[-1], method.Hints(place, chroma, reach))
        painted = decoder.paint(features[:-1], target, hinted, sure)[-1]
        weight, planes = decoder.find_prior(
            luma, target, Palettes(reference, reference_tones), hinted, sure
        )
        tones = weight[..., : len(TONES)] + bias  # whose shares of a pixel add up to 1
        weight = torch.cat([tones, weight[..., len(TONES) :]], 2) / self.temperature
        heat = self.classify(painted).flatten(2) + weight @ planes.flatten(2)
        # A softmax and a mean in one product: ONNX Runtime's own is slow across channels.
        weight = (heat - heat.amax(1, keepdim=True)).exp()
        total = (self.table @ weight).reshape(-1, 3, *luma.shape[2:])
        return total[:, :2] / total[:, 2:], heat


def export(
    run: Path, folder: Path, values: dict[str, str], patterns: list[str]
) -> dict[str, float]:
    """Write `encoder.onnx`, `decoder.onnx` and `model.json`, checked on real photos.

    values: fields of `Settings`, as texts
    patterns: photos to check on; if empty, the held-out ones of the data that the run names.
    Returns the differences found. Raises ModelError where they are too large, and DataError for
    another method's run, unknown fields and photos that are too small; nothing is written then.
    """
    settings = configure(Settings(), left := dict(values))
    if left:
        raise DataError(f"--set: expected fields of {settings}, found {left}")
    ranges.check(settings, RANGES)
    network, about = torch_model.load(run)
    if not isinstance(network, method.Network):
        raise DataError(
            f"{run}: expected a run of tintype, found {about['method']}; "
            "use it as it is: tintype colorize --model RUN"
        )
    photos = _load_grays(patterns or about["run"]["data"], settings.side, held=not patterns)
    full = _trace_graphs(network, settings)
    exact = _compare(network, full, photos, settings)
    if not exact["logits"] <= LOGITS:  # NaN is not, either
        raise ModelError(f"expected logits within {LOGITS} of torch's, found {exact['logits']:.2g}")
    cases = _make_cases(network, _open(full["encoder"]), photos, settings)
    decoder = quantize(full["decoder"], (case.feed for case in cases))
    stored = {"encoder": _halve(full["encoder"]), "decoder": _halve(decoder)}
    found = _compare(network, stored, photos, settings)
    if not (found["chroma_mean"] <= MEAN and found["chroma_tail"] <= TAIL):
        raise ModelError(f"expected chroma within {MEAN} (mean) and {TAIL} (99.9 %), found {found}")
    differences = {"logits_float32": exact["logits"], **found}
    folder.mkdir(parents=True, exist_ok=True)
    content = {f"{name}.onnx": model.SerializeToString() for name, model in stored.items()}
    for name, data_ in content.items():
        write_whole(folder / name, data_)
    description = _describe(network, about, settings, content, differences)
    write_whole(folder / "model.json", json.dumps(description, indent=1) + "\n")
    return differences


def _load_grays(patterns: list[str], side: int, *, held: bool, count: int = 16) -> list[np.ndarray]:
    """Gray photos at the working size: (h, w) float32, 0..1.

    held: take those that training on the patterns holds out; of packs, the validation shards
    """
    packs = shards.find_packs(patterns)
    tars = [str(shard.path) for pack in packs for shard in pack.validation or pack.train]
    photos = photo_set.load(tars or list(patterns), size=side, limit=4000)  # plenty to choose from
    chosen = torch.minimum(photos.height, photos.width) >= min(side, 128)
    if held and not packs:
        chosen &= photo_set.hold_out(photos.keys)
    index = chosen.nonzero()[:count, 0].tolist()
    if not index:
        raise DataError(
            f"{patterns}: expected photos of 128 pixels or more, found none; name some with --data"
        )
    grays = []
    for i in index:
        image = Image.fromarray(photos.photo(i)).convert("L")
        wide, high = (32 * max(1, round(s * side / min(image.size) / 32)) for s in image.size)
        grays.append(np.asarray(image.resize((wide, high)), dtype=np.float32) / 255)
    return grays


def _trace_graphs(network: method.Network, settings: Settings) -> dict[str, onnx.ModelProto]:
    """The two graphs in float32; height and width, in multiples of 32, and hints are free."""
    encode, decode = _Encode(network), _Decode(network, settings.temperature)
    luma = torch.rand(1, 1, 160, 192)
    with torch.no_grad():
        features, estimate, _ = network.encode(luma)
    names = [*(f"feature{i}" for i in range(len(features) - 1)), "keys"]
    outputs = [*names, "estimate", "estimate_tones", "shares", "prototypes"]
    if network.config.tuned:
        outputs += ["reference", "reference_tones"]
    free = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    many = {1: torch.export.Dim.DYNAMIC}
    palettes = (estimate.whole, estimate.tones, estimate.whole.clone(), estimate.tones.clone())
    small = torch.rand(1, 1, *features[0].shape[2:])
    hints = (torch.rand(1, 3, 2), torch.rand(1, 3, 2), torch.ones(1, 3))
    bias = torch.zeros_like(estimate.tones).mT
    inputs = (*palettes, bias, small, *hints, features)
    shapes = (*[None] * 5, free, *[many] * 3, [free] * len(features))
    return {
        "encoder": _trace(encode, (luma,), ["luma"], outputs, (free,)),
        "decoder": _trace(decode, inputs, [*INPUTS, *names], ["chroma", "logits"], shapes),
    }


def _trace(
    module: nn.Module, inputs: Any, names: list[str], outputs: list[str], free: Any
) -> onnx.ModelProto:
    """A module as an ONNX graph with these inputs and outputs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it tells that torchvision is absent, as it should be
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch deprecates parts of itself while it exports
            program = torch.onnx.export(
                module,
                inputs,
                dynamo=True,
                verbose=False,
                opset_version=20,
                input_names=names,
                output_names=outputs,
                dynamic_shapes=free,
            )
    finally:
        logger.setLevel(level)
    assert program is not None
    model = program.model_proto
    for part in (model.graph, *model.graph.node, *model.graph.value_info):
        del part.metadata_props[:]  # stack traces with the paths of this machine
        part.doc_string = ""
    return model


def _halve(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with large weights in half precision, cast back where the graph begins."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    casts = []
    for tensor in small.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < HALF_FROM:
            continue
        name = tensor.name
        half = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), name + ".half"
        )
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        small.graph.node.insert(0, cast)
    del small.graph.value_info[:]
    onnx.checker.check_model(small)
    return small


@dataclass(frozen=True)
class _Case:
    """A photo and an edit: what torch's decoder takes, and a graph's.

    luma: (h, w) small, 0..1
    """

    luma: np.ndarray
    given: tuple[Tensor, ...]
    features: list[Tensor]
    feed: dict[str, np.ndarray]


def _make_cases(
    network: method.Network,
    encoder: ort.InferenceSession,
    photos: list[np.ndarray],
    settings: Settings,
) -> Iterator[_Case]:
    """Photos, edited as `_edit` says; the graph gets the features of the exported encoder."""
    names = [output.name for output in encoder.get_outputs()]
    vivid = undo_by_tone((settings.calm, settings.vivid), settings.shadows, 1)
    bias = -torch.outer(network.rebalancing.log(), torch.tensor(vivid))[None]
    for gray in photos:
        small = gray.reshape(gray.shape[0] // 4, 4, -1, 4).mean((1, 3))
        luma = torch.from_numpy(small)[None, None]
        encoded = dict(zip(names, encoder.run(None, {"luma": gray[None, None]}), strict=True))
        with torch.no_grad():
            features, estimate, reference = network.encode(torch.from_numpy(gray)[None, None])
        base = "reference" if network.config.tuned else "estimate"
        theirs = {n: v for n, v in encoded.items() if n.startswith("feature") or n == "keys"}
        theirs |= {f"reference{end}": encoded[f"{base}{end}"] for end in ("", "_tones")}
        for edited, hints in _edit(network.config.bins, estimate):
            palettes = (edited.whole, edited.tones, reference.whole, reference.tones)
            given = (*palettes, bias, luma, *hints)
            feed = {n: t.numpy() for n, t in zip(INPUTS, given, strict=True)}
            yield _Case(small, given, features, feed | theirs)


def _compare(
    network: method.Network,
    graphs: dict[str, onnx.ModelProto],
    photos: list[np.ndarray],
    settings: Settings,
) -> dict[str, float]:
    """How far the graphs are from torch on photos that are colored as `_edit` says."""
    encoder, decoder = _open(graphs["encoder"]), _open(graphs["decoder"])
    decode = _Decode(network, settings.temperature)
    logits, chroma = [], []
    for case in _make_cases(network, encoder, photos, settings):
        with torch.no_grad():
            ab, scores = decode(*case.given, case.features)
        got_ab, got = decoder.run(["chroma", "logits"], case.feed)
        logits.append(settings.temperature * np.abs(got - scores.numpy()).max())
        lab, other = (_to_lab(case.luma, np.moveaxis(x[0], 0, -1)) for x in (ab.numpy(), got_ab))
        chroma.append(np.sqrt(((lab - other) ** 2).sum(-1)).ravel())
    gaps = np.concatenate(chroma)
    return {
        "logits": float(np.max(logits)),  # NaN if any is
        "chroma_mean": float(gaps.mean()),
        "chroma_tail": float(np.percentile(gaps, 99.9)),
    }


def _open(graph: onnx.ModelProto) -> ort.InferenceSession:
    return ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])


def _edit(bins: Bins, estimate: Palettes) -> list[tuple[Palettes, tuple[Tensor, Tensor, Tensor]]]:
    """An estimate, with turned hues, and with hues turned otherwise for each tone; hints with each.

    Hints: none, one and three, as `INPUTS` has them.
    """
    turns = torch.tensor([[0.0, 0.0, 0.0], [120.0, 120.0, 120.0], [0.0, 120.0, 240.0]])
    edited = []
    for count, turn in zip((0, 1, 3), turns, strict=True):
        tones = bins.rotate(estimate.tones, turn[None].expand(len(estimate.tones), -1))
        steps = torch.arange(max(1, count)) + 0.5
        place = torch.stack([steps / len(steps), 1 - steps / len(steps)], 1)[None]
        reach = torch.full((1, len(steps)), float(count > 0))
        hints = (place, 0.1 * torch.stack([steps.cos(), steps.sin()], 1)[None], reach)
        edited.append((Palettes(tones.mean(1), tones), hints))
    return edited


def _to_lab(luma: np.ndarray, ab: np.ndarray) -> np.ndarray:
    rgb = color.oklab_to_rgb(color.oklab_of_luma(luma, ab)).clip(0, 1)
    return np.asarray(color.rgb_to_lab(rgb)[..., 1:])


def _describe(
    network: method.Network,
    about: dict[str, Any],
    settings: Settings,
    content: dict[str, bytes],
    differences: dict[str, float],
) -> dict[str, Any]:
    """What `model.json` says."""
    return {
        "format": FORMAT,
        "method": about["method"],
        "license": "research use: see docs/model-card.md for what the training photos allow",
        "sha256": {name: hashlib.sha256(data_).hexdigest() for name, data_ in content.items()},
        "side": settings.side,
        "temperature": settings.temperature,
        "undo": [settings.calm, settings.vivid],
        "shadows": settings.shadows,
        "vividness": settings.vividness,
        "vividness_given": settings.vividness_given,
        "bins": {"hues": network.config.hues, "chromas": list(network.config.chromas)},
        "rebalancing": [round(w, 6) for w in network.rebalancing.tolist()],
        "parameters": sum(
            p.numel() for name, p in network.named_parameters() if not name.startswith("coarse.")
        ),
        "trained": {
            "steps": about["step"],
            "minutes": round(about["elapsed"] / 60, 1),
            "data": [Path(p).name for p in about["run"]["data"]],
            "recipes": about.get("fine_tuning", {}).get("recipes", 0),
        },
        "differences": {name: float(f"{value:.3g}") for name, value in differences.items()},
    }
