"""Files of weights that others publish: PyTorch's, safetensors and NumPy's, of any content."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from tintype.errors import DataError

# Unpickler, unzipper and NumPy raise whatever broken bytes provoke.


def read_tensors(path: Path, whose: str) -> dict[str, Tensor]:
    """The named tensors of a `.safetensors` or, of any other suffix, of a file of PyTorch's.

    whose: the network's name. Raises DataError where it is missing, broken or holds more.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _refuse(path, f"{whose}'s weights", error) from None
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise DataError(f"{path}: expected {whose}'s named tensors, found something else")
    return found


def read_arrays(path: Path, whose: str) -> dict[str, np.ndarray]:
    """The named arrays of an `.npz`. Raises DataError where it is missing, broken or none."""
    try:
        with path.open("rb") as content, np.load(content) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:
        raise _refuse(path, f"an .npz of {whose}", error) from None


def _refuse(path: Path, wanted: str, error: Exception) -> DataError:
    why = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path}: expected {wanted}, found none: {why}")
