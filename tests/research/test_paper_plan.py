"""The plan of the paper's runs: what is trained with what, in which order, and what is left."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from pages import ROOT

from tintype.research.methods import METHODS
from tintype.research.training.config import TrainConfig, configure

FILE = ROOT / "experiments/paper.py"


@pytest.fixture(scope="module")
def paper():
    spec = importlib.util.spec_from_file_location("paper", FILE)
    sys.modules["paper"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["paper"]


@pytest.fixture
def plan(paper, tmp_path):
    return paper.Plan(Path("data"), tmp_path, range(3), 900, 5, None, Path("lite0.pth"))


def read_configs(task):
    """The run's and the method's config that a task's command asks for."""
    words = list(task.words)
    settings = dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "--set")
    method = words[words.index("--method") + 1]
    run = configure(TrainConfig(method=method), settings)
    own = configure(METHODS[method].config(), settings)
    assert settings == {}  # nothing is unknown
    return run, own


def test_rows_have_equal_budgets_and_cells_differ_from_the_paper(plan, paper):
    rows = [t for t in plan.make_rows() if t.words[0] == "train"]
    cells = [t for t in plan.make_ablations(paper.CELLS) if t.words[0] == "train"]
    assert (len(rows), len(cells)) == (3 * len(paper.ROWS), 3 + 3 * len(paper.CELLS))
    assert {t.folder for t in rows} & {t.folder for t in cells} == {
        plan.runs / f"fenu2016-{seed}" for seed in plan.seeds
    }
    budgets = {
        (run.seed, run.batch, run.recalibrate, run.warmup, run.learning_rate, run.crop_size)
        for run, _ in map(read_configs, (*rows, *cells))
    }
    assert len(budgets) == 3
    assert all("900" in task.words for task in (*rows, *cells))
    owns = [repr(read_configs(t)[1]) for t in cells if t.folder.name.endswith("-0")]
    assert len(set(owns)) == 1 + len(paper.CELLS)


@pytest.mark.parametrize(("words", "found"), [
    ("rows --seeds 0", "--seeds: expected 1 or more, found 0"),
    ("rows --steps -10", "--steps: expected 1 or more, found -10"),
    ("rows --jobs 0", "--jobs: expected 1 or more, found 0"),
    ("rows --cells l1", "--cells: expected with ablations alone, found rows; leave it out"),
    ("ablations --cells l2", "--cells: invalid choice: 'l2'"),
])  # fmt: skip
def test_words_that_say_no_plan_are_refused(paper, monkeypatch, capsys, words, found):
    monkeypatch.setattr(sys, "argv", ["paper.py", *words.split(), "--dry-run"])
    with pytest.raises(SystemExit) as caught:
        paper.main()
    assert caught.value.code == 2
    assert found in capsys.readouterr().err


def test_a_task_that_cannot_begin_ends_all(plan, paper, monkeypatch, capsys):
    def run(_task, _processor):
        raise FileNotFoundError(2, "No such file or directory", "taskset")

    monkeypatch.setattr(paper.Task, "run", run)
    monkeypatch.setattr(paper, "PAUSE", 0.001)
    with pytest.raises(SystemExit, match="expected an end, found a failure"):
        paper.work_off(plan.make_rows(), [0, 1])
    assert "No such file or directory: 'taskset'" in capsys.readouterr().err


def test_tasks_wait_for_what_they_need_and_are_done_once(plan, paper, monkeypatch):
    """On two processors, left after five of them, and gone on with."""
    order = []

    def run(task, _processor):
        assert set(task.after) <= set(order)
        if len(order) == 5 and task.words[0] == "train" and not done_before:
            return False
        order.append(task)
        task.folder.mkdir(parents=True, exist_ok=True)
        (task.folder / "done.json").write_text(json.dumps({"command": task.words}))
        return True

    monkeypatch.setattr(paper.Task, "run", run)
    monkeypatch.setattr(paper, "PAUSE", 0.001)
    done_before = False
    with pytest.raises(SystemExit, match="expected an end, found a failure"):
        paper.work_off(plan.make_rows(), [0])
    assert len(order) == 5
    done_before = True
    paper.work_off(plan.make_rows(), [0, 1])
    assert len(order) == len(plan.make_rows())
    assert [task.words[0] for task in order[-2:]] == ["evaluate", "plot"]
    paper.work_off(plan.make_rows(), [0])
    assert len(order) == len(plan.make_rows())
    (plan.runs / "tint-0/done.json").write_text(json.dumps({"command": ["other"]}))
    with pytest.raises(SystemExit, match=r"tint-0: expected a run of .*, found other"):
        paper.work_off(plan.make_rows(), [0])
