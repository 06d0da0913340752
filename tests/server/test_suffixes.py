"""The page names its downloads by the same suffixes and formats as the command line."""

import re
from importlib.resources import files
from pathlib import Path

from tintype.photo import SUFFIXES, format_of


def test_the_page_and_the_command_know_the_same_suffixes():
    text = files("tintype.server").joinpath("static/state/files.js").read_text(encoding="utf-8")
    listed = re.search(r"const FORMATS = \{(.*?)\}", text, re.DOTALL)
    assert listed is not None
    ours = {suffix: format_of(Path(f"photo{suffix}")) for suffix in SUFFIXES}
    assert dict(re.findall(r'"(\.\w+)": "(\w+)"', listed[1])) == ours
