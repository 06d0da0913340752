"""Every command that writes files says which, and replaces none that it reads."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from command import tintype
from tiny import draw, files

from tintype.cli import cli
from tintype.cli.command import BY_REQUEST, Command, Input, Output

# What is no file, of the options and arguments that take any words; --mask is one and a color, see
# test_pins.py.
WORDS = {
    "--towards", "--at", "--mask", "--ban", "--swatch", "--ray", "--set", "--host", "--page",
    "method of train",
}  # fmt: skip


def walk(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of each command."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))
        else:
            yield *path, name


def find(words: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def name_of(option: click.Parameter, words: tuple[str, ...]) -> str:
    name = max(option.opts, key=len)
    return f"method of {words[-1]}" if name == "--method" else name


ELSEWHERE = {"interpolate", "folder"}  # need folders: tests/batch/test_clashes.py, and below
COMMANDS = {" ".join(words): words for words in walk()}
PAIRS = {
    f"{name}: {max(o.opts, key=len)} over {max(i.opts, key=len)}": (words, o, i)
    for name, words in COMMANDS.items()
    for o in find(words).params
    for i in find(words).params
    if isinstance(o.type, Output) and isinstance(i.type, Input) and i.name not in ELSEWHERE
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_every_option_says_whether_it_is_read_or_written(words: tuple[str, ...]) -> None:
    command = find(words)
    assert isinstance(command, Command)
    for option in command.params:
        if isinstance(option.type, (click.Path, click.File)):
            assert isinstance(option.type, (Input, Output)), option.opts
        elif option.type is click.STRING:
            assert name_of(option, words) in WORDS, option.opts
        if "--output" in option.opts:
            assert isinstance(option.type, Output)


def test_there_are_pairs_of_all_commands_that_write() -> None:
    some = {name.split(":")[0] for name in PAIRS}
    assert {"colorize", "palette", "train", "export", "evaluate", "plot"} <= some
    assert {"pretrain-vgg", "data pack"} <= some


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_nothing_that_is_read_is_written(
    pair: tuple[tuple[str, ...], click.Parameter, click.Parameter],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file that an option names is replaced by no other option's, through a link either."""
    words, output, input_ = pair
    command = find(words)
    monkeypatch.chdir(tmp_path)
    Path("precious").write_text("precious")
    Path("out").mkdir()
    values = {str(option.name): None for option in command.params} | {"output": Path("out")}
    assert isinstance(output.type, Output)
    alone = output.type is BY_REQUEST or output.type.names is None
    link = Path("link.png" if alone else output.type.list_files(None, values)[0])
    link.symlink_to(Path("precious").absolute())
    given = {"precious": [input_], str(link) if alone else "out": [output]}
    arguments, options = [], []
    for option in command.params:
        value = next((value for value, several in given.items() if option in several), None)
        if value is None and option.required:
            value = "other"
        if value is None:
            continue
        several = [value] * max(1, option.nargs)
        if isinstance(option, click.Argument):
            arguments += several
        else:
            options += [max(option.opts, key=len), *several]
    done = CliRunner().invoke(cli, [*words, *options, "--", *arguments])
    assert done.exit_code == 2, done.output
    assert "is an input" in done.output
    assert Path("precious").read_text() == "precious"
    assert link.is_symlink()


@pytest.mark.parametrize("words", ["--answers study/real/a.png", "--answers link", ""])
def test_answers_of_a_study_replace_no_photo(words: str, tmp_path: Path) -> None:
    photo = draw(tmp_path / "study" / "real" / "a.png")
    before = photo.read_bytes()
    (tmp_path / "link").symlink_to("study/real/a.png")
    (tmp_path / "study" / "answers.csv").symlink_to("real/a.png")
    done = tintype("study", "study", *words.split(), "--results", cwd=tmp_path, status=2)
    assert b"is an input" in done.stderr
    assert photo.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        "palette scans --plot scans/a.png",
        "palette scans --plot link",
        "train --recipes scans --start scans/model.safetensors -o link-of-scans",
        "data pack shards/train-000000.tar -o shards",
        "data pack shards/*.tar -o shards",
        "export run -o run --data run/encoder.onnx",
        "evaluate run -o run/model --data scans",
        "plot figures -o figures --photo figures/figure-3.png",
    ],
)
def test_what_is_read_in_folders_is_not_written(words: str, tmp_path: Path) -> None:
    draw(tmp_path / "scans" / "a.png")
    (tmp_path / "link").symlink_to("scans/a.png")
    (tmp_path / "link-of-scans").symlink_to("scans")
    for name in (
        "scans/model.safetensors",
        "shards/train-000000.tar",
        "run/encoder.onnx",
        "run/model.json",
        "figures/figure-3.png",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("precious")
    before = files(tmp_path)
    done = tintype(*words.split(), cwd=tmp_path, status=2)
    assert b"is an input" in done.stderr
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "words",
    [
        "train --data scans -o afile --steps 2",
        "train --data scans -o afile/run --steps 2",
        "pretrain-vgg --data scans -o afile --steps 2",
        "export run -o afile/deep/model",
        "plot run -o afile",
        "evaluate run --data scans -o afile/table",
        "data pack scans -o afile",
        "palette scans --plot afile/a.png",
    ],
)
def test_a_file_where_a_folder_should_be_is_refused_before_the_work(
    words: str, tmp_path: Path
) -> None:
    draw(tmp_path / "scans" / "a.png")
    (tmp_path / "run").mkdir()
    (tmp_path / "afile").write_text("precious")
    before = files(tmp_path)
    done = tintype(*words.split(), cwd=tmp_path, status=2)
    assert b"afile: expected a folder for " in done.stderr
    assert files(tmp_path) == before


def test_what_the_system_refuses_is_a_line(tmp_path: Path) -> None:
    draw(tmp_path / "scans" / "a.png")
    words = ("train", "--method", "tint", "--data", "scans", "-o", "/proc/none/x", "--steps", "2")
    done = tintype(*words, cwd=tmp_path, status=1)
    *_, last = done.stderr.decode().splitlines()
    assert last.startswith("tintype: /proc/none: expected a file or a folder, found: ")


@pytest.mark.parametrize(("words", "rest"), [
    ("train --data scans -o run --steps 2", ", and the same command with --resume goes on"),
    ("palette a.png", ""),
])  # fmt: skip
def test_ctrl_c_ends_with_the_status_of_the_signal(
    words: str, rest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    draw(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    for work in ("tintype.research.training.loop.train", "tintype.sandbox.read_bounded"):
        monkeypatch.setattr(work, stop)
    done = CliRunner().invoke(cli, words.split())
    assert done.exit_code == 130
    assert done.stderr.startswith(f"tintype: stopped; what is written is whole{rest}")


def test_reports_may_lie_beside_what_is_read(tmp_path: Path) -> None:
    """A table in a run's folder, or one of photos, is written again."""
    for name in ("run/table.json", "run/table.md", "run/model.safetensors", "run/figure-1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    run = str(tmp_path / "run")
    for words in (
        ["evaluate", run, "-o", f"{run}/table", "--data", run],
        ["plot", run, "-o", run],
        ["export", run, "-o", run],
    ):
        command = find((words[0],))
        assert isinstance(command, Command)
        command.check_paths(command.make_context(words[0], words[1:]).params)
