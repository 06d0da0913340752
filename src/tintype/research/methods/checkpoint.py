"""Checkpoints: safetensors files that carry their configuration, written whole or not at all."""

import json
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as safetensors_bytes
from torch import Tensor, nn

from tintype.errors import DataError
from tintype.files import write_whole

FORMAT = "tintype-checkpoint-1"
FORMER_FIELDS = {  # of a run, before 0.4.0, in checkpoints written then
    "rate": "learning_rate",
    "clip": "grad_clip",
    "average": "ema_decay",
    "crop": "crop_size",
    "late_crop": "late_crop_size",
    "settle": "recalibrate",
}


def save(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write tensors and a JSON-able description; an older file is replaced in one step."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {"format": FORMAT, "about": json.dumps(about)}
    write_whole(path, safetensors_bytes(whole, metadata))


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save` wrote, the fields of the run by their names of today.

    Raises DataError where the file is missing or is none of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: expected a checkpoint, found none: {error}") from None
    if metadata.get("format") != FORMAT:
        found = metadata.get("format", "another safetensors file")
        raise DataError(f"{path}: expected {FORMAT}, found {found}")
    about = json.loads(metadata["about"])
    if "taste" in about:  # its name before 0.4.0
        about["fine_tuning"] = about.pop("taste")
    if "run" in about:
        about["run"] = {
            FORMER_FIELDS.get(name, name): value for name, value in about["run"].items()
        }
    return tensors, about


@cache
def describe_machine() -> dict[str, Any]:
    """What a number was measured with: the commit, where there is one, and the hardware."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else _read_processor()
    return {
        "commit": _read_commit(),
        "device": device,
        "processors": os.cpu_count(),
        "torch": torch.__version__,
    }


def _read_commit() -> str | None:
    """The commit of this very file; None where it is in no repository, as when installed."""
    folder = str(Path(__file__).parent)

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", folder, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    if shutil.which("git") is None or git("ls-files", "--error-unmatch", __file__).returncode:
        return None
    return git("describe", "--always", "--dirty", "--exclude", "*").stdout.strip()


def _read_processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def load_of(path: Path, method: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """As `load`. Raises DataError where the checkpoint is of another method, too."""
    tensors, about = load(path)
    if (found := about.get("method")) != method:
        raise DataError(
            f"{path}: expected a checkpoint of {method}, found one of {found}; "
            "name it with --method"
        )
    return tensors, about


def load_start(network: nn.Module, path: Path) -> None:
    """Give a network the weights of a checkpoint.

    What only training uses may be absent in either, and what palettes were before they learned
    from recipes is left out of a network that has no place for it. Raises DataError where the
    checkpoint is of another network.
    """
    tensors, _ = load(path)
    try:
        missing, unknown = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:  # sizes differ
        why = str(error).splitlines()[-1].strip()
        raise DataError(f"{path}: expected a checkpoint of this network, found {why}") from None
    usual = ("reference.", "coarse.")
    if left := [name for name in (*missing, *unknown) if not name.startswith(usual)]:
        raise DataError(f"{path}: expected a checkpoint of this network, found others: {left[:3]}")


def make_config(kind: Any, values: dict[str, Any]) -> Any:
    """A method's `Config` as a checkpoint's description has it, its lists tuples again."""
    return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})
