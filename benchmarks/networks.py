"""Tintype's network beside those of two papers: one part of `speed.py`."""

from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image
from turns import Case, Step, Way, table, time_in_turns

from tintype.model import Encoding, OnnxModel, open_session

PHOTO = Path(__file__).parents[1] / "examples" / "camera.jpg"


def network(part: str, side: int, threads: int) -> Step:
    """Tintype's graphs, on a square photo of this many pixels."""
    model = OnnxModel(threads=threads)
    gray = np.asarray(Image.open(PHOTO).resize((side, side)).convert("L"))
    encoding = model.encode(gray)

    def decode(encoding: Encoding) -> np.ndarray:
        return model.decode(encoding, encoding.palette, model.vividness)

    steps: dict[str, Step] = {
        "encode": lambda: model.encode(gray),
        "decode": lambda: decode(encoding),
        "both": lambda: decode(model.encode(gray)),
    }
    return steps[part]


def by_onnx(graph: Path, side: int, threads: int) -> Step:
    """Another network's graph, in the same runtime with the same settings."""
    session = open_session(graph.read_bytes(), threads)
    gray = np.random.default_rng(0).random((1, 1, side, side), dtype=np.float32)
    return lambda: session.run(None, {"gray": gray})


def others(scratch: Path, way: Way) -> dict[str, Case]:
    """The papers' networks in both runtimes; none where torch is missing, and a line says so."""
    try:
        import references
    except ModuleNotFoundError as error:
        print(f"zhang2016 and dahl2016 are left out: they need pip install '.[train]' ({error})\n")
        return {}
    cases: dict[str, Case] = {}
    for name, side in references.SIDES.items():
        graph, path = references.onnx(name), scratch / f"{name}.onnx"
        path.write_bytes(graph.SerializeToString())
        row = f"{name} | {side} | {references.weights(graph) / 1e6:.1f} M"
        cases[f"{row} | ONNX Runtime"] = partial(by_onnx, path, side, way.threads)
        cases[f"{row} | torch"] = partial(references.by_torch, name, way.threads)
    return cases


def networks(scratch: Path, way: Way) -> None:
    """Tintype's network beside those of Zhang and Dahl, each at its own input size."""
    about = OnnxModel().about
    cases: dict[str, Case] = {}
    for side, part in product((about["side"], 256), ("both", "encode", "decode")):
        row = f"Tintype, {part} | {side} | {about['parameters'] / 1e6:.1f} M | ONNX Runtime"
        cases[row] = partial(network, part, side, way.threads)
    both, encode, decode, *_ = took = time_in_turns(cases | others(scratch, way), way)
    one = took[both].seconds
    rows = [
        [*name.split(" | "), f"{t.seconds / one:.2f}", f"{1e3 * t.seconds:.0f}", f"{t.memory:.0f}"]
        for name, t in took.items()
    ]
    table(
        "Networks alone, small gray in, small chroma out, float32: Tintype's encode + decode = 1",
        ["network", "side", "weights", "runtime", "ratio", "ms", "peak MiB"],
        rows,
    )
    share = took[decode].seconds / took[encode].seconds
    print(f"An edit is decode alone, {share:.0%} of encode; the papers' networks take no edits.\n")
