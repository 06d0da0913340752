"""One training loop for every method, on accelerate, in one process or, by torchrun, in many."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, gather_object
from torch import Tensor, nn
from tqdm import tqdm

from tintype.errors import DataError
from tintype.research.data import photo_set, shards
from tintype.research.data.batches import Memory, Process
from tintype.research.data.streaming import Stream
from tintype.research.methods import METHODS, checkpoint, norms
from tintype.research.training.config import TrainConfig, check, configure
from tintype.research.training.log import Log, Pace, Validation
from tintype.research.training.run import TRAINED, Run, find_usual


def train(folder: Path, config: TrainConfig, settings: dict[str, str], *, resume: bool) -> None:
    """Train a method and leave `model.safetensors`, `log.jsonl` and pictures in the folder.

    Every random choice comes from the seed, and from the process and the step's number, or, for
    packed shards, from the photo and the epoch. So a resumed run with `steps` is the run that was
    interrupted. All processes call it alike; the main one alone writes.
    """
    last = folder / "last.safetensors"
    if last.exists() and not resume:
        raise DataError(f"{folder}: expected a new folder, found a run; add --resume to go on")
    check(config)
    _check_method(config, dict(settings))
    run = Run(folder, config, dict(settings))
    folder.mkdir(parents=True, exist_ok=True)
    going_on = resume and last.exists()
    if going_on:
        run.resume()
    with _open_photos(run) as photos:
        if not photos.order.startswith(run.order or ""):  # which older runs know a part of
            raise DataError(
                f"{folder}: expected photos {run.order}, as the run began, found them "
                f"{photos.order}; give it the same"
            )
        run.order = photos.order
        _agree(run)
        if not going_on:
            _begin(run, photos)
        with closing(Log(folder, run.accelerator.is_main_process)) as log:
            _run_steps(run, photos, log)
    run.accelerator.wait_for_everyone()
    run.accelerator.end_training()


def _check_method(config: TrainConfig, settings: dict[str, str]) -> None:
    """Raise DataError where there is nothing to train, or no step left after a method's first."""
    if config.method not in TRAINED:
        raise DataError(f"expected a method of {', '.join(METHODS)}, found {config.method!r}")
    method = TRAINED[config.method]
    if config.method == "gray":
        raise DataError(f"expected a method that can be trained, found {config.method!r}")
    first = method.first_steps(configure(find_usual(config), settings)) if method.first_steps else 0
    if config.steps and first >= config.steps:
        raise DataError(
            f"first_steps: expected fewer than the run's {config.steps} steps, found "
            f"{first}; add --set first_steps={config.steps // 10}"
        )


@contextmanager
def _open_photos(run: Run) -> Iterator[Memory | Stream]:
    """The photos of a run: those of packed shards are streamed, all others held in memory."""
    config, accelerator = run.config, run.accelerator
    process = Process(accelerator.process_index, accelerator.num_processes, accelerator.device)
    if packs := shards.find_packs(config.data):
        _refuse_for_shards(config)
        stream = Stream(
            packs,
            process,
            seed=config.seed,
            size=config.size,
            workers=config.workers,
            ahead=2 * config.batch,
            begin=run.photos,
        )
        with closing(stream):
            yield stream
        return
    photos = photo_set.load(list(config.data), size=config.size, limit=config.limit)
    yield Memory(photos, process, seed=config.seed, source_weights=config.source_weights)


def _refuse_for_shards(config: TrainConfig) -> None:
    """Raise DataError for what only photos in memory can be used with."""
    for name, value in {"limit": config.limit, "source_weights": config.source_weights}.items():
        if value:
            raise DataError(
                f"{name}: expected none for packed shards, which are used whole, found "
                f"{value!r}; leave it out"
            )


def _begin(run: Run, photos: Memory | Stream) -> None:
    """Give the network its first weights, or those of another run, and count colors."""
    if run.config.start:
        checkpoint.load_start(run.unwrapped, Path(run.config.start))
    else:
        run.unwrapped.count_colors(list(photos.sample(min(run.config.crop_size, 64))))
    run.average.load_state_dict(run.unwrapped.state_dict())


def _run_steps(run: Run, photos: Memory | Stream, log: Log) -> None:
    config, main = run.config, run.accelerator.is_main_process
    validation = None
    if main:
        held = photos.cut_validation(config.late_crop_size, config.validation_photos)
        validation = Validation(held)
    bar = tqdm(desc="training", unit="%", total=100, disable=None if main else True)
    began, saved, checked = time.monotonic() - run.elapsed, time.monotonic(), time.monotonic()
    pace, checked_at = Pace(run.photos, run.accelerator.device), -1
    while run.progress < 1:
        parts = _step(run, photos, pace)
        now = time.monotonic()
        run.elapsed = _share_time(run, now - began)
        if run.step % config.log_steps == 0:
            row = _average_parts(run.accelerator, parts) | {
                "step": run.step,
                "photos": run.photos,
                "elapsed": round(run.elapsed),
                **pace.measure(run.photos),
            }
            bar.n = round(100 * run.progress, 1)
            bar.set_postfix(loss=row["loss"], photos_per_s=row["photos_per_s"])
            log.write(row)
        if validation and _is_due(config, run.step, now - checked):
            _validate(run, validation, log)
            checked, checked_at = time.monotonic(), run.step
        if now - saved > config.checkpoint_seconds:
            run.save()
            saved = time.monotonic()
    if config.recalibrate and not config.freeze_norms:
        _recalibrate(run, photos)
    run.save()
    if validation and checked_at != run.step:
        _validate(run, validation, log)
    bar.close()


def _step(run: Run, photos: Memory | Stream, pace: Pace) -> list[dict[str, Tensor]]:
    """Learn from as many batches as make a step; gives their parts of the loss."""
    config, step = run.config, run.step
    late = step % 2 == 0 and run.progress > 1 - config.late_share
    size = config.late_crop_size if late else config.crop_size
    count = max(1, round(config.batch * (config.crop_size / size) ** 1.5))
    parts = []
    for part in range(config.accumulate):
        with pace.count_wait():
            cut = photos.take(step, part, count)
        parts.append(run.learn(cut(size)))
    return parts


def _recalibrate(run: Run, photos: Memory | Stream) -> None:
    """Count the averaged network's batch norms anew, on crops of the size that photos are used at.

    In training their running means are of small crops, too (Touvron et al. 2019, "Fixing the
    train-test resolution discrepancy").
    """
    config = run.config
    modules = run.average.train().modules()  # but norms that a network keeps
    found = [m for m in modules if isinstance(m, nn.BatchNorm2d) and m.training]
    run.average.eval()

    def feed() -> None:
        for part in range(config.recalibrate):
            crops = photos.take(run.step, config.accumulate + part, config.batch)
            batch = crops(config.late_crop_size)
            with run.accelerator.autocast():
                run.average(batch.rgb, batch.labels, batch.generators)

    if found:
        norms.count(found, feed)


def _is_due(config: TrainConfig, step: int, seconds: float) -> bool:
    """Whether held-out photos are to be colored now."""
    if config.validate_steps:
        return step % config.validate_steps == 0
    return seconds > config.validate_seconds


def _validate(run: Run, validation: Validation, log: Log) -> None:
    """Color held-out photos; numbers go to the log, a contact sheet into the folder."""
    found, sheet = validation(run.method, run.average, run.accelerator.device)
    log.write({"step": run.step, "photos": run.photos, "elapsed": round(run.elapsed), **found})
    if sheet is not None:
        sheet.save(run.folder / f"step-{run.step:06d}.png")


def _average_parts(accelerator: Accelerator, parts: list[dict[str, Tensor]]) -> dict[str, float]:
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


def _share_time(run: Run, seconds: float) -> float:
    """The main process's time, where time ends the run: all must end at the same step."""
    if run.accelerator.num_processes == 1 or not run.config.minutes:
        return seconds
    clock = torch.tensor(seconds, device=run.accelerator.device)
    return float(broadcast(clock))
