"""Train the default model on a pretrained backbone, in phases, from tar files held in memory.

    python experiments/default_model/train.py PHASE --out runs/default --data A.tar B.tar.gz \\
        --backbone efficientnet-lite0.pth --minutes 25

distill: the gray backbone's later blocks learn to give what the color one gives (self-distillation)
decoder: all but the backbone learns, which has no gradients; on a processor ONNX Runtime runs it
joint:   the backbone's later blocks learn on, too, at a lower rate

Each phase goes on from `last.safetensors` in the folder, or, where that is not there, begins with
--start; norms, the colors' rarity and the prototype palettes are counted where there is neither.
`model.safetensors` has the averaged weights alone, in half precision: a run that `tintype export`
takes. `tintype train` trains the same network by the same losses; here the fixed stages run in ONNX
Runtime, and nothing is needed but torch, safetensors, NumPy and Pillow, so that it runs on a GPU's
machine as it is.
"""

import argparse
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from photographs import HELD_OUT, Photographs
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import oklab_of_luma, oklab_to_rgb
from tintype.research.data.aging import age, balance, mount
from tintype.research.methods import checkpoint
from tintype.research.methods.tintype import LATE_RATE, Config, Network, efficientnet
from tintype.research.methods.tintype.objective import Compare, measure_losses

Views = Callable[[Tensor], list[Tensor]]
LAST, WEIGHTS = "last.safetensors", "model.safetensors"
BEND = 0.01  # OKLab chroma


class Run:
    """A network, its average, and what has become of them so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        width, depth = options.scale
        name = str(options.backbone or "efficientnet-lite")
        config = Config(backbone=name, width=width, depth=depth)
        self.network, self.mean = Network(config), Network(config)
        self.about: dict[str, Any] = {"step": 0, "photos": 0, "elapsed": 0.0, "phases": {}}
        last, state = options.out / LAST, {}
        if last.exists():
            state, self.about = checkpoint.load(last)
            self.network.load_state_dict(under(state, "net."))
            self.mean.load_state_dict(under(state, "mean."))
        elif options.start:
            weights, self.about = checkpoint.load(options.start)
            for network in (self.network, self.mean):
                network.load_state_dict(weights)
        names = [Path(path).name for path in options.data]
        data = [name for name in names if not name.startswith(HELD_OUT)]
        said = asdict(config) | {"backbone": Path(name).name}  # no path of this machine
        self.about |= {"method": "tintype", "config": said, "run": {"data": data}}
        self.fresh = not (state or options.start)
        self.network.to(self.device, memory_format=torch.channels_last)
        self.mean.to(self.device).eval()
        groups = self._groups()
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.99))
        named = {n: p for n, p in self.network.named_parameters() if p.requires_grad}
        for name, value in under(state, "optimizer.").items():
            part, _, owner = name.partition(".")
            if owner in named:
                where = self.device if value.ndim else "cpu"
                self.optimizer.state[named[owner]][part] = value.to(where)
        self.phase = self.about.setdefault("phases", {}).setdefault(
            options.phase, {"steps": 0, "photos": 0}
        )
        self.began = time.monotonic() - self.about["elapsed"]

    def _groups(self) -> list[dict[str, Any]]:
        """What learns in this phase, with its share of the rate."""
        network, phase = self.network, self.options.phase
        late = network.backbone._blocks[network.backbone.early_blocks :]
        network.backbone.requires_grad_(False)
        groups = []
        if phase in ("distill", "joint"):
            params = list(late.requires_grad_(True).parameters())
            groups.append({"params": params, "share": LATE_RATE, "weight_decay": 0.0})
        if phase != "distill":
            named = network.named_parameters()
            own = [p for n, p in named if not n.startswith("backbone.")]
            for decay, chosen in ((0.02, [p for p in own if p.ndim > 1]), (0.0, own)):
                params = [p for p in chosen if decay or p.ndim <= 1]
                groups.append({"params": params, "share": 1.0, "weight_decay": decay})
        return groups

    def save(self) -> None:
        """Write the state to go on from, and the averaged weights."""
        state = {f"net.{k}": v for k, v in self.network.state_dict().items()}
        state |= {f"mean.{k}": v for k, v in self.mean.state_dict().items()}
        names = {p: n for n, p in self.network.named_parameters()}
        for parameter, parts in self.optimizer.state.items():
            for part, value in parts.items():
                state[f"optimizer.{part}.{names[parameter]}"] = torch.as_tensor(value)
        self.about["elapsed"] = time.monotonic() - self.began
        checkpoint.save(self.options.out / LAST, state, self.about)
        half = {
            k: v.half() if v.is_floating_point() else v for k, v in self.mean.state_dict().items()
        }
        checkpoint.save(self.options.out / WEIGHTS, half, self.about)

    def end_step(self, loss: Tensor, rate: float) -> float:
        """Learn from a loss; gives the norm of its gradients."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        loss.backward()
        learned = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(learned, 5.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        for counts in (self.about, self.phase):
            counts["photos"] += self.options.batch
        self.about["step"] += 1
        self.phase["steps"] += 1
        self._average(min(self.options.decay, self.phase["steps"] / (10 + self.phase["steps"])))
        return float(norm)

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        own, mean = self.network.state_dict(), self.mean.state_dict()
        floats = [name for name, value in mean.items() if value.is_floating_point()]
        torch._foreach_lerp_([mean[n] for n in floats], [own[n] for n in floats], 1 - decay)


def under(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


# --- the backbone, without gradients --------------------------------------------------------------


class _Part(nn.Module):
    """A backbone, of which one function is exported."""

    def __init__(self, backbone: nn.Module, function: Views) -> None:
        super().__init__()
        self.backbone, self.function = backbone, function

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.function(x))


def without_gradients(backbone: nn.Module, function: Views, channels: int, run: Run) -> Views:
    """A function of the backbone; on a processor by ONNX Runtime, two to three times as fast."""
    if run.device.type == "cuda":
        return torch.no_grad()(function)
    import onnxruntime as ort

    file = run.options.out / f"{os.getpid()}.onnx"
    shape = {"x": {0: "batch", 2: "height", 3: "width"}}
    example = torch.rand(2, channels, run.options.size, run.options.size)
    part = _Part(backbone, function).eval()
    torch.onnx.export(
        part,
        (example,),
        file,
        dynamo=False,
        input_names=["x"],
        dynamic_axes=shape,
        opset_version=17,
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    file.unlink()
    return lambda x: [torch.from_numpy(v) for v in session.run(None, {"x": x.numpy()})]


def published(path: Path, run: Run) -> efficientnet.Backbone:
    """The backbone that knows colors, fixed; it takes (batch, 3, h, w) RGB, 0..1."""
    backbone = efficientnet.load_color(path, *run.options.scale)
    return backbone.to(run.device).eval().requires_grad_(False)


def teacher(path: Path, run: Run) -> Views:
    """The published backbone on color photographs: the deepest two views."""
    backbone = published(path, run)
    seen = without_gradients(backbone, lambda x: backbone(x)[2:], 3, run)
    return lambda rgb: seen(rgb.permute(0, 3, 1, 2).contiguous())


def see(path: Path, run: Run) -> Compare:
    """A perceptual loss: how otherwise the published backbone sees colors, at half the size.

    The mean square of what differs in its views at 1/4, 1/8 and 1/16, over their variance.
    """
    backbone = published(path, run)

    def paint(luma: Tensor, ab: Tensor) -> Tensor:
        wide = F.interpolate(ab.permute(0, 3, 1, 2), scale_factor=2, mode="bilinear")
        rgb = oklab_to_rgb(oklab_of_luma(luma, wide.permute(0, 2, 3, 1), rounds=2))
        return rgb.clamp(0, 1)

    def look(rgb: Tensor) -> list[Tensor]:
        return backbone.early(rgb.permute(0, 3, 1, 2).contiguous())

    def compare(gray: Tensor, logits: Tensor, ab: Tensor) -> Tensor:
        with torch.autocast(gray.device.type, enabled=False):
            luma = F.avg_pool2d(gray.float(), 2)[:, 0].clamp(0.03, 0.97)
            own = run.network.to_chroma(logits.float(), adjustment=0.5, temperature=0.8)
            found, true = paint(luma, own), paint(luma, ab.float())
        views = zip(look(found), look(true), strict=True)
        parts = [((a - b) ** 2).mean() / b.var().clamp(min=1e-3) for a, b in views]
        return run.options.seen * torch.stack(parts).sum()

    return compare


def measure_huber(run: Run) -> Compare:
    """A Huber loss of the chroma that comes out: linear from `BEND` on (Zhang et al. 2017)."""

    def compare(_gray: Tensor, logits: Tensor, ab: Tensor) -> Tensor:
        own = run.network.to_chroma(logits.float(), adjustment=0.5, temperature=0.8)
        return run.options.huber * F.huber_loss(own, ab.float(), delta=BEND) / BEND

    return compare


# --- the loop -------------------------------------------------------------------------------------


def losses_of(run: Run) -> Callable[[Tensor, Tensor], dict[str, Tensor]]:
    """The phase's losses of true colors (batch, h, w, 3) and gray (batch, 1, h, w)."""
    o, network = run.options, run.network
    backbone = network.backbone

    terms = [see(o.backbone, run)] if o.seen else []
    terms += [measure_huber(run)] if o.huber else []

    def compare(gray: Tensor, logits: Tensor, ab: Tensor) -> Tensor:
        return torch.stack([term(gray, logits, ab) for term in terms]).sum()

    def measure(rgb: Tensor, gray: Tensor, views: list[Tensor]) -> dict[str, Tensor]:
        given = (network, gray, rgb, views, torch.default_generator, compare if terms else None)
        with torch.autocast(run.device.type, torch.bfloat16, enabled=o.bf16):
            return measure_losses(*given)

    if o.phase == "decoder":
        whole = without_gradients(backbone, backbone.forward, 1, run)
        return lambda rgb, gray: measure(rgb, gray, near(whole(gray)))
    early = without_gradients(backbone, backbone.early, 1, run)
    if o.phase == "joint":

        def joint(rgb: Tensor, gray: Tensor) -> dict[str, Tensor]:
            *views, inner = near(early(gray))
            return measure(rgb, gray, [*views, *near(backbone.late(inner))])

        return joint
    color = teacher(o.backbone, run)

    def distill(rgb: Tensor, gray: Tensor) -> dict[str, Tensor]:
        inner = near(early(gray))[-1]
        parts = {
            f"view{i}": ((own - view) / (view.std((0, 2, 3), keepdim=True) + 1e-3)).square().mean()
            for i, (own, view) in enumerate(zip(backbone.late(inner), color(rgb), strict=True))
        }
        return {"loss": sum(parts.values()), **parts}

    return distill


def near(views: list[Tensor]) -> list[Tensor]:
    """Channels last, as convolutions like them."""
    return [view.contiguous(memory_format=torch.channels_last) for view in views]


def steps(run: Run, photographs: Photographs) -> Iterator[tuple[float, dict[str, float]]]:
    """How far the phase is, 0..1, and the parts of the loss, step by step."""
    o = run.options
    run.network.train()
    measure = losses_of(run)
    crops = photographs.batches(o.batch, o.size, 1 + run.about["step"], o.workers)
    began = time.monotonic()
    while (progress := (time.monotonic() - began) / (60 * o.minutes)) < 1:
        rgb = balance(next(crops).to(run.device) / 255, torch.default_generator)
        rgb = mount(rgb, torch.default_generator)
        parts = measure(rgb, age(rgb, torch.default_generator))
        warm = min(1.0, (run.phase["steps"] + 1) / o.warmup)
        fall = 1 - 0.99 * max(0.0, (progress - 1 + o.fall) / o.fall) if o.fall else 1.0
        norm = run.end_step(parts["loss"], o.rate * warm * fall)
        yield progress, {n: float(v.detach()) for n, v in parts.items()} | {"norm": norm}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("phase", choices=("distill", "decoder", "joint"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backbone", type=Path, help="published state dict of EfficientNet-Lite")
    parser.add_argument(
        "--scale", type=float, nargs=2, default=(1.0, 1.0), help="width and depth; Lite2: 1.1 1.2"
    )
    parser.add_argument("--start", type=Path, help="averaged weights to begin with")
    parser.add_argument("--data", nargs="+", required=True, help="tar files of photographs")
    parser.add_argument("--limit", type=int, help="photographs of each source")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument(
        "--fall", type=float, default=0.0, help="last share in which the rate falls"
    )
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=160, help="of the squares, a multiple of 32")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=300, help="steps")
    parser.add_argument("--seen", type=float, default=0.0, help="weight of the perceptual loss")
    parser.add_argument("--huber", type=float, default=0.0, help="weight of the Huber loss")
    parser.add_argument("--decay", type=float, default=0.9995, help="of the averaged weights")
    parser.add_argument("--workers", type=int, default=1, help="threads that decode")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=120, help="batches of 64 to count colors on")
    parser.add_argument("--save-minutes", type=float, default=5.0)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def main() -> None:
    o = parse()
    o.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(o.threads)
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    photographs = Photographs(o.data, o.limit)
    run = Run(o)
    seed = run.about["step"]
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if run.fresh:
        crops = photographs.batches(64, 96, 998, o.workers)
        run.network.count_colors([next(crops).to(run.device) / 255 for _ in range(o.count)])
        run.mean.load_state_dict(run.network.state_dict())
        run.save()
    began = saved = time.monotonic()
    sums: dict[str, float] = {}
    with (o.out / "log.jsonl").open("a") as log:
        for number, (_, parts) in enumerate(steps(run, photographs), 1):
            sums = {name: sums.get(name, 0.0) + value for name, value in parts.items()}
            if number % 50 == 0:
                row = {n: run.about[n] for n in ("step", "photos")} | {"phase": o.phase}
                row |= {name: round(value / 50, 4) for name, value in sums.items()}
                row["photos_per_s"] = round(number * o.batch / (time.monotonic() - began), 2)
                print(json.dumps(row), file=log, flush=True)
                sums = {}
            if time.monotonic() - saved > 60 * o.save_minutes:
                run.save()
                saved = time.monotonic()
            if ended:
                break
    run.save()


if __name__ == "__main__":
    main()
