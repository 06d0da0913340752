"""One language: American spelling, and functions that are named by verbs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
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
TITLES = ("Transferring Color to Greyscale Images",)  # of others, as printed


@pytest.mark.parametrize("path", SOURCE + PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_spelling_is_american(path):
    text = path.read_text(encoding="utf-8")
    for title in TITLES:
        text = text.replace(title, "")
    found = [line.strip() for line in text.splitlines() if BRITISH.search(line)]
    assert found == []
