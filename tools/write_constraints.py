"""Write constraints.txt: the versions that are installed, of all that Tintype needs.

    make test  # or another way to install it with all extras
    .venv/bin/python tools/write_constraints.py

`pip install -c constraints.txt tintype` then installs what the tests have passed with.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
HEAD = """\
# What CI and `make test` install, so that they stay reproducible (tools/write_constraints.py).
# torch is the version whose wheel computes on the processor alone.
"""


def list_requirements(extras: bool = True) -> list[Requirement]:
    """What pyproject.toml asks for, with all extras or without."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = list(project["dependencies"])
    for some in project["optional-dependencies"].values() if extras else ():
        texts += some
    return [Requirement(text) for text in texts]


def normalize(name: str) -> str:
    """A package's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_versions(wanted: list[Requirement]) -> dict[str, str]:
    """The installed versions of packages and of all that they need, by their names.

    Those that are not installed, as on other systems or for lack of a wheel, are left out.
    """
    found: dict[str, str] = {}
    todo = list(wanted)
    seen = set[tuple[str, str]]()
    while todo:
        one = todo.pop()
        name = normalize(one.name)
        for extra in ("", *one.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                found[name] = Version(version(name)).public
            except PackageNotFoundError:
                continue
            todo += _needs(name, extra)
    return dict(sorted(found.items()))


def _needs(name: str, extra: str) -> Iterator[Requirement]:
    for text in requires(name) or ():
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate({"extra": extra}):
            yield need


def main() -> None:
    """Write the file."""
    pins = find_versions(list_requirements())
    lines = [f"{name}=={number}\n" for name, number in pins.items()]
    (ROOT / "constraints.txt").write_text(HEAD + "".join(lines))


if __name__ == "__main__":
    main()
