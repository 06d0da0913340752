"""One language and short files: American spelling, functions named by verbs."""

import ast
import re

import pytest
from pages import ROOT

SOURCE = [
    path
    for path in sorted((ROOT / "src").rglob("*"))
    if path.suffix in {".py", ".js", ".css", ".html"}
]
PAGES = [path for path in sorted(ROOT.rglob("*.md")) if path.parent in {ROOT, ROOT / "docs"}]
BRITISH = re.compile(
    r"colou?ris|colour|grey|centre|neighbour|behaviour|favour|honour|licence|ageing|catalogue"
    r"|(normal|recogn|organ|optim|initial|serial|summar|minim|maxim|general|quant|visual)is(e|ing)",
    re.IGNORECASE,
)
PYTHON = [path for path in SOURCE if path.suffix == ".py"]
for folder in ("experiments", "benchmarks", "tools"):
    PYTHON += sorted((ROOT / folder).rglob("*.py"))
PARTICIPLES = re.compile(
    "_*(listed|opened|taken|seen|colored|noted|drawn|found|wanted|turned|painted|asked|named|given"
    "|shown|kept|made|counted|mixed|read_?back|packed|planned|chosen|pinned|enlarged|encoded|wrapped"
    "|written|sized|weighted|halved|joined|copied|numbered|keyed|held_?out|spent|told|moved|tuned)"
)
TITLES = ("Transferring Color to Greyscale Images",)  # of others, as printed


@pytest.mark.parametrize("path", SOURCE + PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_spelling_is_american(path):
    text = path.read_text(encoding="utf-8")
    for title in TITLES:
        text = text.replace(title, "")
    found = [line.strip() for line in text.splitlines() if BRITISH.search(line)]
    assert found == []


def functions(path):
    """Names of a file's functions, however deep; values that a class computes are no functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, kinds) and "property" not in map(ast.unparse, node.decorator_list):
            yield node.name


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_not_named_by_bare_participles(path):
    assert [name for name in functions(path) if PARTICIPLES.fullmatch(name)] == []


@pytest.mark.parametrize("folder", ["src", "tests", "tools"])
def test_files_are_short(folder):
    files = [p for p in (ROOT / folder).rglob("*") if p.suffix in {".py", ".js", ".css", ".html"}]
    sizes = {str(p): len(p.read_text(encoding="utf-8").splitlines()) for p in files}
    assert {name: lines for name, lines in sizes.items() if lines > 400} == {}
