"""Checkpoints: safetensors files that carry their configuration, written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tintype.errors import DataError

FORMAT = "tintype-checkpoint-1"


def save(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write tensors and a JSON-able description; an older file is replaced in one step."""
    part = path.with_name(path.name + ".part")
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(whole, part, metadata={"format": FORMAT, "about": json.dumps(about)})
    os.replace(part, path)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save` wrote. Raises DataError where the file is missing or is none of ours."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: expected a checkpoint, found none: {error}") from None
    if metadata.get("format") != FORMAT:
        found = metadata.get("format", "another safetensors file")
        raise DataError(f"{path}: expected {FORMAT}, found {found}")
    return tensors, json.loads(metadata["about"])
