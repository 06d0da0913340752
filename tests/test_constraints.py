"""An install is reproducible: constraints.txt names all that is needed, in versions that fit."""

import re
import runpy
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from pages import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "write_constraints.py"))
normalize, find_versions = TOOL["normalize"], TOOL["find_versions"]
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if not line.startswith("#")
)
BASE, ALL = TOOL["list_requirements"](extras=False), TOOL["list_requirements"]()


@pytest.mark.parametrize("need", ALL, ids=str)
def test_what_is_asked_for_is_pinned_to_a_version_that_fits(need: Requirement) -> None:
    assert need.specifier.contains(PINS[normalize(need.name)])


@pytest.mark.parametrize("need", BASE, ids=str)
def test_what_is_installed_fits(need: Requirement) -> None:
    assert need.specifier.contains(version(need.name))


@pytest.mark.parametrize("need", BASE, ids=str)
def test_the_next_major_version_is_not_let_in(need: Requirement) -> None:
    """It may break what was tested with this one."""
    major = Version(PINS[normalize(need.name)]).major
    assert not need.specifier.contains(f"{major + 1}.0")


def test_all_that_the_base_needs_is_pinned_too() -> None:
    assert set(find_versions(BASE)) - set(PINS) == set()


def test_lines_are_pins_of_packages() -> None:
    for name, number in PINS.items():
        assert name == normalize(name)
        assert re.fullmatch(r"[0-9]+(\.[0-9a-z]+)*(\.post[0-9]+)?", number)
