"""What the page on the paper says of the code is there under that name."""

import re
from functools import reduce

import pytest
from pages import ROOT

from tintype.research.evaluation import evaluate, metrics, table
from tintype.research.figures import curves, diagram, plots
from tintype.research.methods import (
    cheng2015,
    dahl2016,
    deshpande2015,
    fenu2016,
    losses,
    palettes,
    vgg16,
    zhang2016,
)
from tintype.research.training import pretrain

MODULES = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        cheng2015, curves, dahl2016, deshpande2015, diagram, evaluate, fenu2016, losses, metrics,
        palettes, plots, pretrain, table, vgg16, zhang2016,
    )
}  # fmt: skip
PAGE = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(rf"`((?:{'|'.join(MODULES)})\.\w+(?:\.\w+)*)", PAGE)))


def test_the_page_names_parts_of_the_code():
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", [n for n in NAMES if not n.endswith((".py", ".json", ".md"))])
def test_a_name_on_the_page_exists(name):
    first, *rest = name.split(".")
    assert reduce(getattr, rest, MODULES[first]) is not None
