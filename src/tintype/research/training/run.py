"""A run as it goes: a network and its average, their optimizer, and the folder they are kept in."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from tintype.errors import DataError
from tintype.research.data.batches import Batch
from tintype.research.methods import METHODS, Trainable, checkpoint
from tintype.research.training import pretrain
from tintype.research.training.config import TrainConfig, configure
from tintype.research.training.schedule import cosine_with_warmup

PRETRAINED = Trainable(config=pretrain.Config, network=pretrain.Network)
TRAINED: dict[str, Trainable] = {**METHODS, "vgg16": PRETRAINED}


LASTING = (  # what a run that goes on must have as it began
    "method", "seed", "batch", "accumulate", "crop_size", "late_crop_size", "late_share", "size",
    "limit", "source_weights", "freeze_norms", "learning_rate", "warmup", "weight_decay",
    "grad_clip", "ema_decay",
)  # fmt: skip


def find_usual(config: TrainConfig) -> Any:
    """The method's settings where none are given: those of the checkpoint that it begins with.

    But photos teach palettes anew, also where recipes did. Raises DataError where it is none.
    """
    method = TRAINED[config.method]
    if not config.start:
        return method.config()
    known = checkpoint.load_of(Path(config.start), config.method)[1]["config"]
    kept = known | {"tuned": False} if "tuned" in known else known
    return checkpoint.make_config(method.config, kept)


class Run:
    """A folder with a run: config, log, pictures, the last state and the averaged weights."""

    def __init__(self, folder: Path, config: TrainConfig, settings: dict[str, str]) -> None:
        self.folder, self.config = folder, config
        self.accelerator = _make_accelerator(config)
        torch.manual_seed(config.seed)
        self.method = TRAINED[config.method]
        self.settings = configure(find_usual(config), settings)
        if settings:
            raise DataError(f"--set: expected fields of the run or the method, found {settings}")
        network = self.method.network(self.settings).to(memory_format=torch.channels_last)
        if config.freeze_norms:
            for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
                norm.eval()
        if config.compile:
            network.compile()
        self.average = self.method.network(self.settings).eval()
        rates = self.method.learning_rates
        shares = rates(self.settings) if rates else {}
        groups = group_parameters(network, config.weight_decay, shares)
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate)
        self.network, self.optimizer = self.accelerator.prepare(network, self.optimizer)
        self.average.to(self.accelerator.device)
        self.step, self.elapsed, self.photos = 0, 0.0, 0
        self.order: str | None = None  # what decides, beside the seed, which photos come when

    @property
    def unwrapped(self) -> Any:
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
        """The progress when the step that begins will be done, 0..1; by time, as its steps last.

        How long the first lasts is not known: by time alone it does not learn.
        """
        parts = [0.0]
        if self.config.minutes and self.step:
            parts.append(self.elapsed * (self.step + 1) / self.step / (60 * self.config.minutes))
        if self.config.steps:
            parts.append((self.step + 1) / self.config.steps)
        return min(1.0, max(parts))

    def describe(self) -> dict[str, Any]:
        """What a checkpoint says of itself."""
        return {
            "method": self.config.method,
            "config": asdict(self.settings),
            "run": asdict(self.config),
            "step": self.step,
            "photos": self.photos,
            "elapsed": self.elapsed,
            "order": self.order,
            "where": checkpoint.describe_machine(),
        }

    def save(self) -> None:
        """Write the state to resume from, and the averaged weights to use.

        Raises DataError where the weights are no numbers any more; what was written before stays.
        """
        if not self.accelerator.is_main_process:
            return
        if not all(weight.isfinite().all() for weight in self.unwrapped.parameters()):
            raise DataError(
                f"{self.folder}: expected weights that are numbers, found others after step "
                f"{self.step}; begin anew with a lower learning_rate"
            )
        state = {f"model.{k}": v for k, v in self.unwrapped.state_dict().items()}
        state |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for i, values in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{i}.{name}": value for name, value in values.items()}
        checkpoint.save(self.folder / "last.safetensors", state, self.describe())
        checkpoint.save(
            self.folder / "model.safetensors", self.average.state_dict(), self.describe()
        )

    def resume(self) -> None:
        """Go on from the last state. Raises DataError where the run is of another network."""
        state, about = checkpoint.load(self.folder / "last.safetensors")
        self._check_same(about)
        try:
            self.unwrapped.load_state_dict(_select(state, "model."))
            self.average.load_state_dict(_select(state, "average."))
        except RuntimeError as error:
            why = str(error).splitlines()[-1].strip()
            raise DataError(
                f"{self.folder}: expected a run of this network, found another: {why}; begin anew"
            ) from None
        packed = self.optimizer.state_dict()
        for name, value in _select(state, "optimizer.").items():
            index, part = name.split(".")
            packed["state"].setdefault(int(index), {})[part] = value
        self.optimizer.load_state_dict(packed)
        self.step, self.elapsed = about["step"], about["elapsed"]
        self.photos, self.order = about.get("photos", 0), about.get("order")

    def _check_same(self, about: dict[str, Any]) -> None:
        """Raise DataError where a run that is to go on would learn otherwise than it began."""
        configs = self.method.config(), self.settings
        usual, own = (json.loads(json.dumps(asdict(c))) for c in configs)
        began = {name: about["run"][name] for name in LASTING if name in about["run"]}
        began |= usual | about["config"]  # a field that is newer than the run is as usual
        for name, value in began.items():
            found = (asdict(self.config) | own).get(name)
            if found != value and name != "vgg":  # which may have moved, and has a fingerprint
                raise DataError(
                    f"{self.folder}: expected the run's {name} {value!r}, found {found!r}; "
                    "give it the same, or begin anew in another folder"
                )
        if self.config.steps and self.config.steps < about["step"]:
            raise DataError(
                f"{self.folder}: expected {about['step']} steps or more, which it has made, "
                f"found {self.config.steps}"
            )

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from a batch, which is a step, or one of the `accumulate` parts of a step.

        Gives the parts of the loss.
        """
        with _explain_compile_errors(), self.accelerator.accumulate(self.network):
            loss, parts = self.network(batch.rgb, batch.labels, batch.generators)
            self.accelerator.backward(loss)
            self.photos += len(batch.rgb) * self.accelerator.num_processes
            if self.accelerator.sync_gradients:
                self._end_step()
        return {"loss": loss.detach(), **parts}

    def _end_step(self) -> None:
        factor = cosine_with_warmup(self.progress, self._after_step, self.config.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * factor * group["share"]
        self.accelerator.clip_grad_norm_(self.network.parameters(), self.config.grad_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        if self.method.first_steps:
            self.unwrapped.steps += 1
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        _update_average(self.average, self.unwrapped, decay)


@contextmanager
def _explain_compile_errors() -> Iterator[None]:
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


def _make_accelerator(config: TrainConfig) -> Accelerator:
    """Raises DataError where there are not as many processes as torchrun has started."""
    wanted = int(os.environ.get("WORLD_SIZE", 1))
    accelerator = Accelerator(
        cpu=wanted > 1 and not torch.accelerator.is_available(),
        mixed_precision=_choose_precision(config.precision),
        gradient_accumulation_steps=config.accumulate,
    )
    if accelerator.num_processes != wanted:
        raise DataError(
            f"expected {wanted} processes that learn together, as WORLD_SIZE says, "
            f"found {accelerator.num_processes}; start them by torchrun"
        )
    return accelerator


def _choose_precision(wanted: str) -> str:
    """bf16 only where the hardware computes in it: elsewhere it is emulated, at half the speed."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "bf16" if "amx_bf16" in flags or "avx512_bf16" in flags else "no"


def group_parameters(
    network: nn.Module, decay: float, shares: dict[str, float]
) -> list[dict[str, Any]]:
    """Weight decay is for kernels only, not for biases, norms and scalars.

    shares: of the learning rate, by how names begin; what has one does not decay either
    """
    named = list(network.named_parameters())
    rest = [p for name, p in named if not name.startswith(tuple(shares))]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": decay, "share": 1.0},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0, "share": 1.0},
    ]
    for start, share in shares.items():
        own = [p for name, p in named if name.startswith(start)]
        groups.append({"params": own, "weight_decay": 0.0, "share": share})
    return groups


@torch.no_grad()
def _update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    for mine, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(new, 1 - decay)
        else:
            mine.copy_(new)


def _select(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
