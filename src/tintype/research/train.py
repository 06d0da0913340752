"""One training loop for every method, on accelerate."""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from tqdm import tqdm

from tintype.errors import DataError
from tintype.research import checkpoint, data, pretrain, teacher
from tintype.research.methods import dahl2016, fenu2016, gray, tintype, zhang2016
from tintype.research.progress import Log, Validation
from tintype.research.settings import TrainConfig, configure

METHODS: dict[str, Any] = {  # modules with the same names in them: Config, Network, colorize, ...
    "gray": gray,
    "dahl2016": dahl2016,
    "zhang2016": zhang2016,
    "fenu2016": fenu2016,
    "tintype": tintype,
}
TRAINED = METHODS | {"vgg16": pretrain}


class Run:
    """A folder with a run: config, log, pictures, the last state and the averaged weights."""

    def __init__(self, folder: Path, config: TrainConfig, settings: dict[str, str]) -> None:
        self.folder, self.config = folder, config
        self.accelerator = Accelerator(mixed_precision=_precision(config.precision))
        torch.manual_seed(config.seed)
        self.module = TRAINED[config.method]
        self.settings = configure(self.module.Config(), settings)
        if settings:
            raise DataError(f"--set: expected fields of the run or the method, found {settings}")
        network = self.module.Network(self.settings).to(memory_format=torch.channels_last)
        self.average = self.module.Network(self.settings).eval()
        self.optimizer = torch.optim.AdamW(_groups(network, config.weight_decay), lr=config.rate)
        self.network, self.optimizer = self.accelerator.prepare(network, self.optimizer)
        self.average.to(self.accelerator.device)
        self.step, self.elapsed, self.photos = 0, 0.0, 0

    @property
    def bare(self) -> Any:
        """The network without what accelerate wraps around it."""
        return self.accelerator.unwrap_model(self.network)

    @property
    def progress(self) -> float:
        """0 at the beginning, 1 at the end."""
        parts = [0.0]
        if self.config.minutes:
            parts.append(self.elapsed / (60 * self.config.minutes))
        if self.config.steps:
            parts.append(self.step / self.config.steps)
        return min(1.0, max(parts))

    def about(self) -> dict[str, Any]:
        """What a checkpoint says of itself."""
        return {
            "method": self.config.method,
            "config": asdict(self.settings),
            "run": asdict(self.config),
            "step": self.step,
            "photos": self.photos,
            "elapsed": self.elapsed,
            "where": checkpoint.where(),
        }

    def save(self) -> None:
        """Write the state to resume from, and the averaged weights to use."""
        if not self.accelerator.is_main_process:
            return
        state = {f"model.{k}": v for k, v in self.bare.state_dict().items()}
        state |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for i, values in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{i}.{name}": value for name, value in values.items()}
        checkpoint.save(self.folder / "last.safetensors", state, self.about())
        checkpoint.save(self.folder / "model.safetensors", self.average.state_dict(), self.about())

    def resume(self) -> None:
        """Go on from the last state. Raises DataError where the run is of another network."""
        state, about = checkpoint.load(self.folder / "last.safetensors")
        usual, own = (
            json.loads(json.dumps(asdict(c))) for c in (self.module.Config(), self.settings)
        )
        for name in ("method", "seed", "batch", "crop"):
            if about["run"][name] != (wanted := getattr(self.config, name)):
                found = about["run"][name]
                raise DataError(f"{self.folder}: expected the run's {name} {found}, found {wanted}")
        if usual | about["config"] != own:  # a field that is newer than the run is as usual
            raise DataError(f"{self.folder}: expected a run of {self.settings}, found {about}")
        self.bare.load_state_dict(_under(state, "model."))
        self.average.load_state_dict(_under(state, "average."))
        packed = self.optimizer.state_dict()
        for name, value in _under(state, "optimizer.").items():
            index, part = name.split(".")
            packed["state"].setdefault(int(index), {})[part] = value
        self.optimizer.load_state_dict(packed)
        self.step, self.elapsed = about["step"], about["elapsed"]
        self.photos = about.get("photos", 0)

    def learn(
        self, rgb: Tensor, labels: Tensor, generator: torch.Generator, **taught: Any
    ) -> dict[str, Tensor]:
        """One step on RGB crops (batch, size, size, 3) and their classes (batch,), -1 for none.

        taught: what a teacher sees of them, where the method has one
        Gives the parts of the loss.
        """
        warm = min(1.0, (self.step + 1) / 200)
        rate = self.config.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * self.progress)) / 2)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss, parts = self.network(rgb, labels, generator, **taught)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.photos += len(rgb) * self.accelerator.num_processes
        decay = min(self.config.average, (1 + self.step) / (10 + self.step))
        _average(self.average, self.bare, decay)
        return {"loss": loss.detach(), **parts}


def train(folder: Path, config: TrainConfig, settings: dict[str, str], *, resume: bool) -> None:
    """Train a method and leave `model.safetensors`, `log.jsonl` and pictures in the folder.

    Every random choice of a step comes from the seed, the rank and the step's number alone, so
    that a resumed run with `steps` is the run that was interrupted.
    """
    last = folder / "last.safetensors"
    if last.exists() and not resume:
        raise DataError(f"{folder}: expected a new folder, found a run; add --resume to go on")
    if not config.minutes and not config.steps:
        raise DataError("expected --minutes or --steps, found neither")
    if config.method not in TRAINED:
        raise DataError(f"expected a method of {', '.join(METHODS)}, found {config.method!r}")
    run = Run(folder, config, dict(settings))
    if config.steps and getattr(run.settings, "first_steps", 0) >= config.steps:
        raise DataError(
            f"first_steps: expected fewer than the run's {config.steps} steps, found "
            f"{run.settings.first_steps}; add --set first_steps={config.steps // 10}"
        )
    if not list(run.bare.parameters()):
        raise DataError(f"expected a method that can be trained, found {config.method!r}")
    folder.mkdir(parents=True, exist_ok=True)
    photos = data.load(list(config.data), size=config.size, limit=config.limit)
    held = data.held_out(photos.keys)
    photos = photos.to(run.accelerator.device)
    seen_by = None
    if getattr(run.bare, "mimic", None) is not None:  # pretrain's teacher is another thing
        with run.accelerator.autocast():
            path = Path(run.settings.teacher)
            seen_by = teacher.look(path, photos, folder / "teacher.safetensors")
    index = (~held).nonzero()[:, 0]
    if not len(index):
        raise DataError(f"{config.data}: expected photos to train on, found only held-out ones")
    weights = _weights(photos.keys, config.source_weights)[index]
    if resume and last.exists():
        run.resume()
    else:
        if config.start:
            checkpoint.begin(run.bare, Path(config.start))
        else:
            run.bare.count_colors(list(_sample(photos, index, weights, config)))
        run.average.load_state_dict(run.bare.state_dict())
    log = Log(folder, run.accelerator.is_main_process)
    try:
        _loop(
            run,
            photos,
            index,
            weights,
            seen_by,
            Validation(photos, held, config.late_crop, config.validation_photos),
            log,
        )
    finally:
        log.close()


def _loop(
    run: Run,
    photos: data.PhotoSet,
    index: Tensor,
    weights: Tensor,
    seen_by: teacher.Seen | None,
    check: Validation,
    log: Log,
) -> None:
    config, main = run.config, run.accelerator.is_main_process
    bar = tqdm(desc="training", unit="%", total=100, disable=None if main else True)
    began, saved, checked = time.monotonic() - run.elapsed, time.monotonic(), time.monotonic()
    seen, since, checked_at = 0, time.monotonic(), -1
    labels = photos.labels.to(photos.pixels.device)
    while run.progress < 1:
        late = run.step % 2 == 0 and run.progress > 1 - config.late_share
        size = config.late_crop if late else config.crop
        count = max(1, round(config.batch * (config.crop / size) ** 1.5))
        generator = _generator(config.seed, run.step, run.accelerator.process_index)
        chosen = index[torch.multinomial(weights, count, replacement=True, generator=generator)]
        chosen = chosen.to(photos.pixels.device)
        rgb, boxes = data.crops(photos, chosen, size, generator)
        taught = {} if seen_by is None else {"taught": seen_by.of(chosen, boxes, size // 16)}
        parts = run.learn(rgb, labels[chosen], generator, **taught)
        seen += count
        now = time.monotonic()
        run.elapsed = now - began
        if run.step % 50 == 0:
            row = {name: round(float(value), 4) for name, value in parts.items()}
            row |= {
                "step": run.step,
                "photos": run.photos,
                "elapsed": round(run.elapsed),
                "photos_per_s": round(seen / (now - since), 1),
            }
            bar.n = round(100 * run.progress, 1)
            bar.set_postfix(loss=row["loss"], photos_per_s=row["photos_per_s"])
            log.write(row)
            seen, since = 0, now
        if main and _due(config, run.step, now - checked):
            _validate(run, check, log)
            checked, checked_at = time.monotonic(), run.step
        if now - saved > config.checkpoint_seconds:
            run.save()
            saved = time.monotonic()
    run.save()
    if main and checked_at != run.step:
        _validate(run, check, log)
    bar.close()


def _due(config: TrainConfig, step: int, seconds: float) -> bool:
    """Whether held-out photos are to be coloured now."""
    if config.validate_steps:
        return step % config.validate_steps == 0
    return seconds > config.validate_seconds


def _validate(run: Run, check: Validation, log: Log) -> None:
    """Colour held-out photos; numbers go to the log, a contact sheet into the folder."""
    found, sheet = check(run.module, run.average, run.accelerator.device)
    log.write({"step": run.step, "photos": run.photos, "elapsed": round(run.elapsed), **found})
    if sheet is not None:
        sheet.save(run.folder / f"step-{run.step:06d}.png")


def _precision(wanted: str) -> str:
    """bf16 only where the hardware computes in it: elsewhere it is emulated, at half the speed."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "bf16" if "amx_bf16" in flags or "avx512_bf16" in flags else "no"


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay is for kernels only, not for biases, norms and scalars."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


@torch.no_grad()
def _average(average: nn.Module, network: nn.Module, decay: float) -> None:
    for mine, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(new, 1 - decay)
        else:
            mine.copy_(new)


def _weights(keys: list[str], text: str) -> Tensor:
    try:
        parts = (part.split("=") for part in text.split(",") if part)
        wanted = {name: float(weight) for name, weight in parts}
    except ValueError:
        raise DataError(f"source_weights: expected NAME=NUMBER,..., found {text!r}") from None
    return torch.tensor([wanted.get(key.split("/")[0], 1.0) for key in keys])


def _generator(seed: int, step: int, rank: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 1_000_003 + step) * 4099 + rank)


def _sample(
    photos: data.PhotoSet, index: Tensor, weights: Tensor, config: TrainConfig
) -> Iterator[Tensor]:
    """RGB crops for counting colours: about twenty thousand of them."""
    for batch in range(80):
        generator = _generator(config.seed, -1 - batch, 0)
        chosen = index[torch.multinomial(weights, 256, replacement=True, generator=generator)]
        chosen = chosen.to(photos.pixels.device)
        yield data.crops(photos, chosen, min(config.crop, 64), generator)[0]


def _under(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
