"""Model folders: a description and two ONNX graphs, checked before they are used."""

import hashlib
import json
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from tintype.errors import ModelError
from tintype.runtime import ort

FORMAT = 2  # of model.json; 2: the decoder takes tones
DESCRIPTION = {"format", "sha256", "side", "bins", "rebalancing", "undo", "vividness"}
EXTERNAL = b"\n\x08location"  # the key, in protobuf's coding, of where a tensor lies outside a file


@dataclass(frozen=True)
class Model:
    """A model folder's description and its two graphs, as they were read."""

    about: dict[str, Any]
    encoder: bytes
    decoder: bytes


def read(folder: str | os.PathLike[str] | None) -> Model:
    """A model folder, checked against its hashes; the bundled one by default. Raises ModelError."""
    root = resources.files("tintype") / "weights" if folder is None else Path(folder)
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
        hashes = {name: about.get("sha256", {})[name] for name in content}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{root}: expected a model description, found {error!r}") from None
    if missing or about["format"] != FORMAT:
        found = about.get("format", "a description without one")
        raise ModelError(
            f"{root}: expected model format {FORMAT}, found {found}; make it anew from its run by "
            "tintype export RUN -o FOLDER"
        )
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != hashes[name]:
            raise ModelError(
                f"{root / name}: expected sha256 {hashes[name][:12]}..., found "
                "another; the file is damaged or not this model's"
            )
        if EXTERNAL in data:
            raise ModelError(f"{root / name}: expected all weights in it, found them elsewhere")
    return Model(about, content["encoder.onnx"], content["decoder.onnx"])


def session(model: bytes, threads: int | None) -> ort.InferenceSession:
    """An ONNX Runtime session from bytes, so that no external data file can be referred to."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"expected an ONNX model, found {str(error).splitlines()[0]}") from None
