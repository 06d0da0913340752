"""What scripts outside the package import from it is there."""

import ast

import pytest
from pages import ROOT

FOLDERS = (ROOT / name for name in ("benchmarks", "experiments", "tools"))
SCRIPTS = [path for folder in FOLDERS for path in folder.rglob("*.py")]


@pytest.mark.parametrize("path", sorted(SCRIPTS), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_script_imports_exists(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tintype"):
            names = ast.Module([ast.ImportFrom(node.module, node.names, 0)], [])
            exec(compile(ast.fix_missing_locations(names), str(path), "exec"), {})
