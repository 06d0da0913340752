"""What a run tells while it goes: numbers a line, curves, and held-out photos colored."""

import importlib.util
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from tintype import color
from tintype.research.evaluation import metrics
from tintype.research.methods import Trainable


class Log:
    """`log.jsonl`, a row a line, and TensorBoard's files where it is installed."""

    def __init__(self, folder: Path, main: bool) -> None:
        self.file = (folder / "log.jsonl").open("a") if main else None
        self.board = None
        if main and importlib.util.find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(str(folder / "tensorboard"))

    def write(self, row: dict[str, Any]) -> None:
        """Add a row; the numbers in it, nested ones too, become TensorBoard's curves."""
        if self.file is None:
            return
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
        if self.board is not None:
            for name, value in _flatten(row):
                self.board.add_scalar(name, value, row["step"])

    def close(self) -> None:
        """Finish the files."""
        if self.file is not None:
            self.file.close()
        if self.board is not None:
            self.board.close()


class Pace:
    """How fast a run goes since its last row of the log, and how long the device had no data."""

    def __init__(self, photos: int, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._begin(photos)

    def _begin(self, photos: int) -> None:
        self._photos, self._time, self._waited = photos, time.monotonic(), 0.0
        self._gaps: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def count_wait(self) -> Iterator[None]:
        """Count the time within, in which the next data are waited for.

        A GPU goes through its queue meanwhile: there it is the time from the end of the work that
        came before to the begin of what follows.
        """
        if self._cuda:
            before, after = (
                torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
                for _ in range(2)
            )
            before.record()
            yield
            after.record()
            self._gaps.append((before, after))
        else:
            asked = time.monotonic()
            yield
            self._waited += time.monotonic() - asked

    def measure(self, photos: int) -> dict[str, float]:
        """Photos a second, and the share of the time that was waiting, 0..1; then begin anew.

        All that a GPU was given must be done.
        """
        seconds = time.monotonic() - self._time
        waited = self._waited + sum(a.elapsed_time(b) for a, b in self._gaps) / 1000
        found = {
            "photos_per_s": round((photos - self._photos) / seconds, 1),
            "waited": round(waited / seconds, 3),
        }
        self._begin(photos)
        return found


def _flatten(row: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}/")
        else:
            yield prefix + name, float(value)


class Validation:
    """Colors held-out photos with the averaged weights, as the method previews them."""

    def __init__(self, photos: list[np.ndarray]) -> None:
        """photos: squares of one size, (side, side, 3) uint8"""
        self.photos = photos

    @torch.no_grad()
    def __call__(
        self, method: Trainable, network: nn.Module, device: torch.device
    ) -> tuple[dict[str, Any], Image.Image | None]:
        """Numbers by the preview's name, and a contact sheet of the first photos."""
        if not self.photos:
            return {"validation": {}}, None
        gray = [np.repeat(color.luma(p.astype(np.float32))[..., None], 3, -1) for p in self.photos]
        results = {"gray": [np.round(g).astype(np.uint8) for g in gray]}
        for photo in self.photos:
            rgb = torch.from_numpy(photo)[None].to(device).float() / 255
            luma = color.luma(rgb)[:, None]
            shown = method.preview(network, rgb, luma) if method.preview else {}
            for name, painted in shown.items():
                pixels = (255 * painted).round().byte().cpu().numpy()
                results.setdefault(name, []).append(pixels)
        columns = [*results.values(), self.photos]
        sheet = np.concatenate([np.concatenate(column[:12]) for column in columns], axis=1)
        rows = {name: self._numbers(painted) for name, painted in results.items()}
        return {"validation": rows}, Image.fromarray(sheet)

    def _numbers(self, painted: list[np.ndarray]) -> dict[str, float]:
        scores = [metrics.score(a, b) for a, b in zip(painted, self.photos, strict=True)]
        numbers = {
            "auc": metrics.auc(scores),
            "auc_rebalanced": metrics.auc_rebalanced(scores, metrics.cell_shares(scores)),
            "psnr": float(np.mean([s.psnr for s in scores])),
            "chroma": float(np.mean([s.chroma for s in scores])),
        }
        rounded = {name: round(value, 2) for name, value in numbers.items()}
        return rounded | {"loss": round(float(np.mean([s.hsv for s in scores])), 5)}
