"""Which rooms of research may import which: data knows nothing of what is done with photos."""

import ast
from pathlib import Path

import pytest

import tintype.research

HOME = Path(tintype.research.__path__[0])
FILES = [path for path in sorted(HOME.rglob("*.py")) if path != HOME / "__init__.py"]
PREFIX = "tintype.research."
MAY_IMPORT = {
    "data": set(),
    "methods": {"data"},
    "torch_model": {"methods"},
    "figures": {"methods", "torch_model"},
    "evaluation": {"data", "figures", "methods", "torch_model"},
    "training": {"data", "evaluation", "methods"},
    "quantize": set(),
    "export": {"data", "methods", "quantize", "torch_model", "training"},
}


def modules(path):
    """The modules that a file imports, however deep in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, path
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path):
    return path.relative_to(HOME).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOME)))
def test_imports_go_one_way(path):
    ours = (name for name in modules(path) if name.startswith(PREFIX))
    rooms = {name.removeprefix(PREFIX).split(".")[0] for name in ours} - {room_of(path)}
    assert rooms <= MAY_IMPORT[room_of(path)]


def test_there_is_no_circle():
    left = dict(MAY_IMPORT)
    while free := [room for room, others in left.items() if not others & left.keys()]:
        for room in free:
            del left[room]
    assert not left
