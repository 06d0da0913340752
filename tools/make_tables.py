"""Bring the tables in the pages up to date with the files that commands left.

A page names a file between `<!-- FILE -->` and `<!-- end -->`; what stands there is that file.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ("docs/paper.md", "docs/model-card.md", "docs/experiments.md")
BLOCK = re.compile(r"(<!-- (\S+\.md) -->\n).*?(<!-- end -->)", re.DOTALL)


def update(page: str) -> str:
    """A page's text with the tables that the files hold now."""
    return BLOCK.sub(lambda m: m[1] + (ROOT / m[2]).read_text() + m[3], page)


if __name__ == "__main__":
    for name in PAGES:
        path = ROOT / name
        path.write_text(update(path.read_text()))
