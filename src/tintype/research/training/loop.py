"""One training loop for every method, on accelerate, in one process or, by torchrun, in many."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, gather_object
from torch import Tensor, nn
from tqdm import tqdm

from tintype.errors import DataError
from tintype.research.data import shards
from tintype.research.data.batches import Batch, Memory
from tintype.research.data.streaming import Stream
from tintype.research.methods import METHODS, Trainable, checkpoint
from tintype.research.training import pretrain
from tintype.research.training.config import TrainConfig, configure
from tintype.research.training.log import Log, Pace, Validation
from tintype.research.training.schedule import cosine_with_warmup

PRETRAINED = Trainable(config=pretrain.Config, network=pretrain.Network, previews=pretrain.previews)
TRAINED: dict[str, Trainable] = {**METHODS, "vgg16": PRETRAINED}


class Run:
    """A folder with a run: config, log, pictures, the last state and the averaged weights."""

    def __init__(self, folder: Path, config: TrainConfig, settings: dict[str, str]) -> None:
        self.folder, self.config = folder, config
        self.accelerator = _accelerator(config)
        torch.manual_seed(config.seed)
        self.method = TRAINED[config.method]
        self.settings = configure(self.method.config(), settings)
        if settings:
            raise DataError(f"--set: expected fields of the run or the method, found {settings}")
        network = self.method.network(self.settings).to(memory_format=torch.channels_last)
        if config.freeze_norms:
            for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
                norm.eval()
        if config.compile:
            network.compile()
        self.average = self.method.network(self.settings).eval()
        groups = _groups(network, config.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate)
        self.network, self.optimizer = self.accelerator.prepare(network, self.optimizer)
        self.average.to(self.accelerator.device)
        self.step, self.elapsed, self.photos = 0, 0.0, 0
        self.order: str | None = None  # what decides, beside the seed, which photos come when

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

    @property
    def _after_step(self) -> float:
        """The progress when the step that begins will be done, 0..1; by time, as its steps last."""
        parts = [0.0]
        if self.config.minutes and self.step:
            parts.append(self.elapsed * (self.step + 1) / self.step / (60 * self.config.minutes))
        if self.config.steps:
            parts.append((self.step + 1) / self.config.steps)
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
            "order": self.order,
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
        configs = self.method.config(), self.settings
        usual, own = (json.loads(json.dumps(asdict(c))) for c in configs)
        for name in ("method", "seed", "batch", "crop_size"):
            found, wanted = about["run"][name], asdict(self.config)[name]
            if found != wanted:
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
        self.photos, self.order = about.get("photos", 0), about.get("order")

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from a batch, which is a step, or one of the `accumulate` parts of a step.

        Gives the parts of the loss.
        """
        with _in_one_line(), self.accelerator.accumulate(self.network):
            loss, parts = self.network(batch.rgb, batch.labels, batch.generators, **batch.taught)
            self.accelerator.backward(loss)
            self.photos += len(batch.rgb) * self.accelerator.num_processes
            if self.accelerator.sync_gradients:
                self._end_step()
        return {"loss": loss.detach(), **parts}

    def _end_step(self) -> None:
        factor = cosine_with_warmup(self.progress, self._after_step, self.config.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * factor
        self.accelerator.clip_grad_norm_(self.network.parameters(), self.config.grad_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        _average(self.average, self.bare, decay)


def train(folder: Path, config: TrainConfig, settings: dict[str, str], *, resume: bool) -> None:
    """Train a method and leave `model.safetensors`, `log.jsonl` and pictures in the folder.

    Every random choice comes from the seed, and from the process and the step's number, or, for
    packed shards, from the photo and the epoch. So a resumed run with `steps` is the run that was
    interrupted. All processes call it alike; the main one alone writes.
    """
    last = folder / "last.safetensors"
    if last.exists() and not resume:
        raise DataError(f"{folder}: expected a new folder, found a run; add --resume to go on")
    if not config.minutes and not config.steps:
        raise DataError("expected --minutes or --steps, found neither")
    if config.method not in TRAINED:
        raise DataError(f"expected a method of {', '.join(METHODS)}, found {config.method!r}")
    counts = {n: asdict(config)[n] for n in ("accumulate", "workers", "log_steps")}
    for name, count in counts.items():
        if count < 1:
            raise DataError(f"{name}: expected 1 or more, found {count}")
    if not 0 <= config.warmup <= 1:
        raise DataError(f"warmup: expected a share of the run, 0 to 1, found {config.warmup:g}")
    run = Run(folder, config, dict(settings))
    first = run.method.first_steps(run.settings) if run.method.first_steps else 0
    if config.steps and first >= config.steps:
        raise DataError(
            f"first_steps: expected fewer than the run's {config.steps} steps, found "
            f"{first}; add --set first_steps={config.steps // 10}"
        )
    if not list(run.bare.parameters()):
        raise DataError(f"expected a method that can be trained, found {config.method!r}")
    folder.mkdir(parents=True, exist_ok=True)
    going_on = resume and last.exists()
    if going_on:
        run.resume()
    with _photos(run) as photos:
        if run.order not in (None, photos.order):
            raise DataError(
                f"{folder}: expected photos {run.order}, as the run began, found them "
                f"{photos.order}; give it the same"
            )
        run.order = photos.order
        _agree(run)
        if not going_on:
            _begin(run, photos)
        with closing(Log(folder, run.accelerator.is_main_process)) as log:
            _loop(run, photos, log)
    run.accelerator.wait_for_everyone()
    run.accelerator.end_training()


@contextmanager
def _photos(run: Run) -> Iterator[Memory | Stream]:
    """The photos of a run: those of packed shards are streamed, all others held in memory."""
    teacher = run.method.teacher(run.settings) if run.method.teacher else ""
    if packs := shards.packs(run.config.data):
        if teacher:
            raise DataError(
                "teacher: expected photos in memory, which it looks at before the run, found "
                "packed shards; name their tar files, or leave it out"
            )
        with closing(Stream(packs, run.config, run.accelerator, run.photos)) as stream:
            yield stream
    else:
        memory = Memory(run.config, run.accelerator)
        if teacher:
            cache = run.folder / "teacher.safetensors"
            memory.ask(Path(teacher), cache, run.accelerator)
        yield memory


def _begin(run: Run, photos: Memory | Stream) -> None:
    """Give the network its first weights, or those of another run, and count colors."""
    if run.config.start:
        checkpoint.begin(run.bare, Path(run.config.start))
    else:
        run.bare.count_colors(list(photos.sample()))
    run.average.load_state_dict(run.bare.state_dict())


def _loop(run: Run, photos: Memory | Stream, log: Log) -> None:
    config, main = run.config, run.accelerator.is_main_process
    check = photos.validation() if main else None
    bar = tqdm(desc="training", unit="%", total=100, disable=None if main else True)
    began, saved, checked = time.monotonic() - run.elapsed, time.monotonic(), time.monotonic()
    pace, checked_at = Pace(run.photos, run.accelerator.device), -1
    while run.progress < 1:
        parts = _step(run, photos, pace)
        now = time.monotonic()
        run.elapsed = _shared(run, now - began)
        if run.step % config.log_steps == 0:
            row = _means(run.accelerator, parts) | {
                "step": run.step,
                "photos": run.photos,
                "elapsed": round(run.elapsed),
                **pace.since(run.photos),
            }
            bar.n = round(100 * run.progress, 1)
            bar.set_postfix(loss=row["loss"], photos_per_s=row["photos_per_s"])
            log.write(row)
        if check and _due(config, run.step, now - checked):
            _validate(run, check, log)
            checked, checked_at = time.monotonic(), run.step
        if now - saved > config.checkpoint_seconds:
            run.save()
            saved = time.monotonic()
    if config.recalibrate and not config.freeze_norms:
        _recalibrate(run, photos)
    run.save()
    if check and checked_at != run.step:
        _validate(run, check, log)
    bar.close()


def _step(run: Run, photos: Memory | Stream, pace: Pace) -> list[dict[str, Tensor]]:
    """Learn from as many batches as make a step; gives their parts of the loss."""
    config, step = run.config, run.step
    late = step % 2 == 0 and run.progress > 1 - config.late_share
    size = config.late_crop_size if late else config.crop_size
    count = max(1, round(config.batch * (config.crop_size / size) ** 1.5))
    parts = []
    for part in range(config.accumulate):
        with pace.waiting():
            cut = photos.take(step, part, count)
        parts.append(run.learn(cut(size)))
    return parts


@torch.no_grad()
def _recalibrate(run: Run, photos: Memory | Stream) -> None:
    """Count the averaged network's batch norms anew, on crops of the size that photos are used at.

    In training their running means are of small crops, too (Touvron et al. 2019, "Fixing the
    train-test resolution discrepancy").
    """
    config = run.config
    norms = [m for m in run.average.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    for part in range(config.recalibrate):
        crops = photos.take(run.step, config.accumulate + part, config.batch)
        batch = crops(config.late_crop_size)
        with run.accelerator.autocast():
            run.average(batch.rgb, batch.labels, batch.generators)
    run.average.eval()


@contextmanager
def _in_one_line() -> Iterator[None]:
    """What torch.compile fails at, as a DataError."""
    try:
        yield
    except RuntimeError as error:
        from torch._dynamo.exc import TorchDynamoException  # slow to import, and seldom needed

        if not isinstance(error, TorchDynamoException):
            raise
        why = " ".join(str(error).partition("\n\n")[0].split())  # advice on debugging follows
        raise DataError(
            f"compile: expected torch.compile to work here, found: {why}; leave it out"
        ) from error


def _due(config: TrainConfig, step: int, seconds: float) -> bool:
    """Whether held-out photos are to be colored now."""
    if config.validate_steps:
        return step % config.validate_steps == 0
    return seconds > config.validate_seconds


def _validate(run: Run, check: Validation, log: Log) -> None:
    """Color held-out photos; numbers go to the log, a contact sheet into the folder."""
    found, sheet = check(run.method, run.average, run.accelerator.device)
    log.write({"step": run.step, "photos": run.photos, "elapsed": round(run.elapsed), **found})
    if sheet is not None:
        sheet.save(run.folder / f"step-{run.step:06d}.png")


def _means(accelerator: Accelerator, parts: list[dict[str, Tensor]]) -> dict[str, float]:
    """The parts of the loss, as means over the parts of a step and over processes."""
    names = list(parts[0])
    means = torch.stack([torch.stack([p[name].float() for p in parts]).mean() for name in names])
    found = accelerator.reduce(means, "mean").tolist()
    return {name: round(value, 4) for name, value in zip(names, found, strict=True)}


def _agree(run: Run) -> None:
    """Raise DataError unless every process begins with the same, or they wait for each other."""
    mine = f"step {run.step} with photos {run.order}"
    for other in gather_object([mine]):
        if other != mine:
            raise DataError(
                f"{run.folder}: expected every process at {mine}, found one at {other}; "
                "run and photos must be in folders that all of them share"
            )


def _shared(run: Run, seconds: float) -> float:
    """The main process's time, where time ends the run: all must end at the same step."""
    if run.accelerator.num_processes == 1 or not run.config.minutes:
        return seconds
    clock = torch.tensor(seconds, device=run.accelerator.device)
    return float(broadcast(clock))


def _accelerator(config: TrainConfig) -> Accelerator:
    """Raises DataError where there are not as many processes as torchrun has started."""
    wanted = int(os.environ.get("WORLD_SIZE", 1))
    accelerator = Accelerator(
        cpu=wanted > 1 and not torch.accelerator.is_available(),
        mixed_precision=_precision(config.precision),
        gradient_accumulation_steps=config.accumulate,
    )
    if accelerator.num_processes != wanted:
        raise DataError(
            f"expected {wanted} processes that learn together, as WORLD_SIZE says, "
            f"found {accelerator.num_processes}; start them by torchrun"
        )
    return accelerator


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


def _under(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
