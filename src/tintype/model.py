"""Models: a photo's luma in, its chroma out, with a palette between the two halves.

luma ──encode──▶ Encoding: features, estimated palette ──decode(palette, hints)──▶ chroma
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from tintype.bans import apply_bans
from tintype.bins import Bins
from tintype.errors import ModelError, PaletteError
from tintype.hints import NO_HINTS, Hints
from tintype.palette import Palette
from tintype.runtime import ort
from tintype.tones import spread_over_tones

FORMAT = 3  # of model.json; 2: the decoder takes tones; 3: estimates tell them, too; hints
DESCRIPTION = {"format", "sha256", "side", "bins", "rebalancing", "undo", "vividness"}
EXTERNAL = b"\n\x08location"  # the key, in protobuf's coding, of where a tensor lies outside a file
LEANING = 0.75  # how much of a likely prototype palette an alternative has at most,
STEP = 0.03  # and how far, in OKLab chroma, that may move the mean color
FORMER_OUTPUTS = {"palette": "estimate", "estimate": "reference"}  # of format 2, and its inputs:
FORMER_INPUTS = {"tones": "palette_tones", "estimate": "reference"}
ESTIMATED = {"estimate", "shares", "prototypes"}  # what an encoder gives beside features
DECODED = {"palette", "palette_tones", "reference", "reference_tones", "luma", "bias"}
DECODED |= {"hint_place", "hint_chroma", "hint_reach"}  # what a decoder takes beside features
CELL = 4  # pixels, the sides of what the decoder gives one chroma
SEVERE = -1e4  # what a banned bin's logits are lowered by


@dataclass(frozen=True, eq=False)
class Encoding:
    """What a model makes of a photo's luma: everything that its decoder needs.

    features: the model's own, the finest first; of models that take hints the last are keys
    luma: (h, w) float32, 0..1, the luma that chroma is decoded for, small
    palette: the estimated palette
    alternatives: four distinct palettes, each plausible; none of models without them
    reference: what the decoder compares palettes with: the estimate before it learned from recipes
    scores: by place, what `regions` found there
    """

    features: list[np.ndarray]
    luma: np.ndarray
    palette: Palette
    alternatives: list[Palette]
    reference: Palette
    scores: dict[tuple[float, float], np.ndarray] = field(default_factory=dict, repr=False)


class Model(Protocol):
    """What `Colorizer` needs of a model: `OnnxModel`, or a run in torch.

    bins: what its palettes are over
    side: pixels, short side of the working size
    vividness: the default, 0 (calm) .. 1 (vivid)
    vividness_given: the default where a palette is given: it says itself how vivid the photo is
    fingerprint: what names the model in a recipe
    threads: how many processors it uses; None for all
    takes_palettes: whether its colors follow a palette
    takes_hints: whether it was trained to heed hints
    """

    bins: Bins
    side: int
    vividness: float
    vividness_given: float
    fingerprint: str
    threads: int | None
    takes_palettes: bool
    takes_hints: bool

    def encode(self, gray: np.ndarray) -> Encoding:
        """Run the encoder on gray (h, w) uint8 at the working size."""
        ...

    def decode(
        self, encoding: Encoding, palette: Palette, vividness: float, hints: Hints = NO_HINTS
    ) -> np.ndarray:
        """OKLab chroma (h, w, 2) for the encoding's luma; the encoder is not run again.

        palette: the wanted colors, over the model's bins; vividness: 0..1
        Raises PaletteError for what the model does not take.
        """
        ...

    def find_likelihoods(
        self, encoding: Encoding, palette: Palette, vividness: float, hints: Hints = NO_HINTS
    ) -> np.ndarray:
        """How likely each bin's color is at each cell, as `decode` weighs them.

        (bins.count, h, w) float32, 0..1, sums of 1 over the bins; as small as the model's own.
        Raises PaletteError as `decode`, and for models that cannot tell.
        """
        ...


class OnnxModel:
    """A model folder: a description and two graphs, checked, run by ONNX Runtime."""

    takes_palettes = True

    def __init__(self, folder: str | os.PathLike[str] | None = None, *, threads: int | None = None):
        """Load a model folder; the bundled one by default.

        threads: how many processors to use; by default all to encode and half of them to decode.
        Raises ModelError.
        """
        self.about, encoder, decoder = _read(folder)
        self.folder = None if folder is None else os.path.abspath(folder)
        self.threads = threads
        self.bins = Bins(self.about["bins"]["hues"], tuple(self.about["bins"]["chromas"]))
        self.side: int = self.about["side"]
        self.vividness = float(self.about["vividness"])
        self.vividness_given = float(self.about.get("vividness_given", self.vividness))
        self.fingerprint = fingerprint(self.about)
        self._rebalancing = np.log(np.array(self.about["rebalancing"], dtype=np.float32))
        self._encoder = open_session(encoder, threads)
        # An edit is small, and the page that shows it needs processors, too.
        self._decoder = open_session(decoder, threads or max(1, (os.cpu_count() or 2) // 2))
        former = self.about["format"] < FORMAT
        names = [output.name for output in self._encoder.get_outputs()]
        self._outputs = [FORMER_OUTPUTS.get(n, n) if former else n for n in names]
        names = [value.name for value in self._decoder.get_inputs()]
        self._sources = {n: FORMER_INPUTS.get(n, n) if former else n for n in names}
        self._inputs = [n for n in names if n.startswith("feature") or n == "keys"]
        self._check_graphs(FORMAT - former)
        self.takes_hints = "keys" in names
        self._tells = "logits" in [output.name for output in self._decoder.get_outputs()]

    def _check_graphs(self, number: int) -> None:
        """Raise ModelError where they are not those of a model of this format."""
        takes = [value.name for value in self._encoder.get_inputs()]
        ranks = {value.name: len(value.shape) for value in self._decoder.get_inputs()}
        gives = [output.name for output in self._decoder.get_outputs()]
        right = {
            "encoder": takes == ["luma"] and ESTIMATED | {*self._inputs} <= {*self._outputs},
            "decoder": {*self._sources.values()} <= DECODED | {*self._inputs}
            and "chroma" in gives
            and ranks.get("bias") == number,  # by tone since format 3
        }
        if wrong := [f"{name}.onnx" for name, is_right in right.items() if not is_right]:
            raise ModelError(
                f"{self.folder or 'the bundled model'}: expected graphs of model format {number}, "
                f"found others in {' and '.join(wrong)}; make it anew by "
                "tintype export RUN -o FOLDER"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as where its folder is: who unpickles it loads the same one from there."""
        return _load_again, (self.folder, self.threads, self.fingerprint)

    def encode(self, gray: np.ndarray) -> Encoding:
        """As `Model.encode`."""
        luma = np.asarray(gray, dtype=np.float32) / 255
        values = self._encoder.run(None, {"luma": luma[None, None]})
        outputs = dict(zip(self._outputs, values, strict=True))
        estimate = self._read_palette(outputs, "estimate")
        tuned = "reference" in outputs
        prototypes = outputs["prototypes"].reshape(len(outputs["prototypes"]), -1, self.bins.count)
        return Encoding(
            features=[outputs[name] for name in self._inputs],
            luma=np.asarray(Image.fromarray(gray.astype(np.float32)).reduce(CELL)) / 255,
            palette=estimate,
            alternatives=find_alternatives(estimate, outputs["shares"][0], prototypes),
            reference=self._read_palette(outputs, "reference") if tuned else estimate,
        )

    def decode(
        self, encoding: Encoding, palette: Palette, vividness: float, hints: Hints = NO_HINTS
    ) -> np.ndarray:
        """As `Model.decode`; the chroma has 1/4 of the working size."""
        (ab,) = self._run("chroma", encoding, palette, vividness, hints)
        chroma = np.moveaxis(ab, 0, -1)
        return apply_bans(chroma, chroma, palette)

    def find_likelihoods(
        self, encoding: Encoding, palette: Palette, vividness: float, hints: Hints = NO_HINTS
    ) -> np.ndarray:
        """As `Model.find_likelihoods`, at 1/4 of the working size."""
        if not self._tells:
            raise PaletteError("expected a model that tells how likely colors are, found another")
        (logits,) = self._run("logits", encoding, palette, vividness, hints)
        weight = np.exp(logits - logits.max(axis=0))
        return np.asarray(weight / weight.sum(axis=0)).reshape(-1, *encoding.luma.shape)

    def _run(
        self, output: str, encoding: Encoding, palette: Palette, vividness: float, hints: Hints
    ) -> np.ndarray:
        """(1, ...) an output of the decoder."""
        check_hints(self, hints)
        reference = encoding.reference
        feed = dict(zip(self._inputs, encoding.features, strict=True))
        feed["palette"] = palette.shares[None]
        feed["palette_tones"] = tell_tones(palette, reference)[None]
        feed["reference"] = reference.shares[None]
        feed["reference_tones"] = reference.by_tone[None]
        feed["luma"] = encoding.luma[None, None]
        bias = self._bias(palette, vividness)
        feed["bias"] = bias if self.about["format"] >= FORMAT else bias[..., 1]
        feed |= _feed_hints(hints)
        given = {name: feed[source].astype(np.float32) for name, source in self._sources.items()}
        return np.asarray(self._decoder.run([output], given)[0])

    def _read_palette(self, outputs: dict[str, np.ndarray], name: str) -> Palette:
        tones = outputs.get(f"{name}_tones", [None])[0]
        return Palette(self.bins, outputs[name][0], tones=tones)

    def _bias(self, palette: Palette, vividness: float) -> np.ndarray:
        """(1, bins, 3) what is added to the logits by tone: rebalancing taken back, bans."""
        undone = undo_by_tone(self.about["undo"], self.about.get("shadows", 0), vividness)
        bias = -np.outer(self._rebalancing, undone)
        return np.where(palette.forbidden[:, None], SEVERE, bias)[None].astype(np.float32)


def undo_by_tone(undo: Sequence[float], shadows: float, vividness: float) -> list[float]:
    """How much of the rebalancing is taken back in shadows, midtones and highlights.

    undo: at vividness 0 and at 1; shadows: 0..1, how far shadows are taken on towards vividness 0:
        what is dark is most often black, and tints in it are seen as stains
    """
    calm, vivid = undo
    undone = calm + vividness * (vivid - calm)
    return [undone + shadows * (calm - undone), undone, undone]


def tell_tones(palette: Palette, reference: Palette) -> np.ndarray:
    """(3, count) a palette's tones; where it tells none apart, they are spread as a reference's."""
    if palette.tones is not None or reference.tones is None:
        return palette.by_tone
    return np.asarray(spread_over_tones(palette.shares, reference.shares, reference.tones))


def check_hints(model: Model, hints: Hints) -> None:
    """Raise PaletteError where a model is given hints that it was not trained to heed."""
    if len(hints) and not model.takes_hints:
        raise PaletteError(f"expected no hints: this model takes none, found {len(hints)}")


def check_palette(model: Model, given: bool, name: str = "this model") -> None:
    """Raise PaletteError where a model is given a palette, or edits, that it does not follow."""
    if given and not model.takes_palettes:
        raise PaletteError(f"expected no palette: {name} cannot be steered")


def _feed_hints(hints: Hints) -> dict[str, np.ndarray]:
    """The decoder's inputs of hints; one that reaches nowhere stands for none."""
    if not len(hints):
        hints = Hints(np.full((1, 2), 0.5), np.zeros((1, 2)), np.zeros(1))
    arrays = {"place": hints.place, "chroma": hints.chroma, "reach": hints.reach}
    return {f"hint_{name}": array[None] for name, array in arrays.items()}


def fingerprint(about: dict[str, Any]) -> str:
    """What names a model in a recipe: a hash of its description."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def find_alternatives(
    estimate: Palette, shares: np.ndarray, prototypes: np.ndarray, count: int = 4
) -> list[Palette]:
    """The estimate leaning on likely prototype palettes that are far from each other.

    shares: (vocabulary,) how likely each prototype is; prototypes: (vocabulary, 1 or 4,
        bins.count) each whole, and by tone where there are 4
    """
    points, bins = np.sqrt(prototypes[:, 0]), estimate.bins
    gap = np.linalg.norm(points - np.sqrt(estimate.shares), axis=1)
    chosen: list[Palette] = []
    for _ in range(count):
        best = int(np.argmax(shares * gap**2))
        gap = np.minimum(gap, np.linalg.norm(points - points[best], axis=1))
        whole, *tones = prototypes[best]
        prototype = Palette(bins, whole, tones=np.stack(tones) if tones else None)
        move = np.linalg.norm((prototype.shares - estimate.shares) @ bins.centers)
        amount = LEANING if move * LEANING < STEP else STEP / float(move)
        chosen.append(estimate.blend(prototype, amount))
    return chosen


def open_session(graph: bytes, threads: int | None) -> ort.InferenceSession:
    """An ONNX Runtime session from bytes, so that no external data file can be referred to."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"expected an ONNX model, found {str(error).splitlines()[0]}") from None


def find_files(folder: str | os.PathLike[str] | None) -> Traversable:
    """Where a model's files are: in a folder, or, if it is None, in this package."""
    return resources.files("tintype") / "weights" if folder is None else Path(folder)


def _read(folder: str | os.PathLike[str] | None) -> tuple[dict[str, Any], bytes, bytes]:
    """A model folder's description and its two graphs, checked against their hashes."""
    root = find_files(folder)
    content = {}
    for name in ("model.json", "encoder.onnx", "decoder.onnx"):
        try:
            content[name] = (root / name).read_bytes()
        except OSError as error:
            why = error.strerror or error
            raise ModelError(f"{root / name}: expected a model's file, found none: {why}") from None
    try:
        about = json.loads(content.pop("model.json"))
        missing = DESCRIPTION - set(about)
        hashes = {name: str(about.get("sha256", {})[name]) for name in content}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{root}: expected a model's description in model.json, found other JSON or none; make "
            "it anew by tintype export RUN -o FOLDER"
        ) from error
    if missing or type(about["format"]) is not int or about["format"] not in (FORMAT - 1, FORMAT):
        found = f"{about.get('format', 'a description without one')!r:.40}"
        raise ModelError(
            f"{root}: expected model format {FORMAT}, found {found}; make it anew from its run by "
            "tintype export RUN -o FOLDER"
        )
    _check(about, str(root))
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != hashes[name]:
            raise ModelError(
                f"{root / name}: expected sha256 {hashes[name][:12]}..., found "
                "another; the file is damaged or not this model's"
            )
        if EXTERNAL in data:
            raise ModelError(f"{root / name}: expected all weights in it, found them elsewhere")
    return about, content["encoder.onnx"], content["decoder.onnx"]


def _check(about: dict[str, Any], folder: str) -> None:
    """Raise ModelError where a description's values are not of their kind, or out of range."""

    def numbers(found: list[Any], low: float, high: float) -> bool:
        return all(type(number) in (int, float) and low <= number <= high for number in found)

    def values(value: object, count: int) -> list[Any]:
        return value if isinstance(value, list) and len(value) == count else [None]

    bins = about["bins"] if isinstance(about["bins"], dict) else {}
    hues, chromas = bins.get("hues"), bins.get("chromas")
    if type(hues) is not int or not isinstance(chromas, list) or not 0 < len(chromas) <= 64:
        hues, chromas = 0, []
    given = about.get("vividness_given", 0)
    rules = {
        "side": type(about["side"]) is int and numbers([about["side"]], 32, 4096),
        "bins": 1 <= hues <= 360 and numbers(chromas, 1e-4, 1) and sorted(set(chromas)) == chromas,
        "rebalancing": numbers(values(about["rebalancing"], 1 + hues * len(chromas)), 1e-9, 1e9),
        "undo": numbers(values(about["undo"], 2), -10, 10),
        "shadows": numbers([about.get("shadows", 0)], 0, 1),
        "vividness": numbers([about["vividness"]], 0, 1),
        "vividness_given": numbers([given], 0, 1),
    }
    wrong = [name for name, right in rules.items() if not right]
    if wrong:
        raise ModelError(
            f"{folder}: expected a model's description in model.json, found other values of "
            f"{', '.join(wrong)}; make it anew by tintype export RUN -o FOLDER"
        )


def _load_again(folder: str | None, threads: int | None, expected: str) -> OnnxModel:
    """A model as it was pickled. Raises ModelError where another one is found here."""
    model = OnnxModel(folder, threads=threads)
    if model.fingerprint != expected:
        raise ModelError(
            f"{folder or 'the bundled model'}: expected the model {expected}, found "
            f"{model.fingerprint}; install the same version of Tintype on all machines"
        )
    return model
