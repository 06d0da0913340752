"""The project's pages and the files that commands left, as tests of pages read them."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]


def read_page(name):
    """A page's text in one line."""
    return " ".join((ROOT / name).read_text().split())


def read_results(name):
    """What a command left in a JSON file."""
    return json.loads((ROOT / name).read_text())
