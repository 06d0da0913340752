"""What `make test` installs where something is missing, tried with stubs for all programs."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from pages import ROOT

PACKAGES = {"python": "python3 python3-venv", "node": "nodejs npm", "browser": "chromium"}
PROGRAMS = {"python": ["python3"], "node": ["node", "npm"], "browser": ["chromium"]}
PARTS = list(PACKAGES)  # in the order in which make asks for them


class Machine:
    """A folder of stubs that is the whole PATH; `calls` are those of apt-get, sudo, and python3."""

    def __init__(self, folder: Path, user: int = 0) -> None:
        self.folder = folder
        self.log = folder / "calls"
        self.log.touch()
        self.add("id", f"echo {user}", logged=False)
        self.add("env", 'shift; "$@"', logged=False)  # the one use of it sets a variable

    def add(self, name: str, script: str = "", *, logged: bool = True) -> None:
        log = f'echo "{name} $*" >> {self.log}\n' if logged else ""
        (self.folder / name).write_text(f"#!/bin/sh\n{log}{script}\n")
        (self.folder / name).chmod(0o755)

    def add_apt(self, part: str, script: str = "") -> None:
        """An apt-get whose installing brings the programs of a part."""
        bring = "".join(
            f"printf '#!/bin/sh\\n' > {self.folder}/{name}; /bin/chmod +x {self.folder}/{name}\n"
            for name in PROGRAMS[part]
        )
        self.add("apt-get", f"{script}\n[ $1 = install ] || exit 0\n{bring}")

    def add_sudo(self, *, password: bool) -> None:
        self.add("sudo", "exit 1" if password else 'shift; "$@"', logged=False)

    def install(self, part: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["/bin/sh", str(ROOT / "tools" / "install.sh"), part],
            env={"PATH": str(self.folder)}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_installed_where_all_is_there(part, tmp_path):
    machine = Machine(tmp_path)
    machine.add_apt(part)
    for name in PROGRAMS[part]:
        machine.add(name, logged=False)
    result = machine.install(part)
    assert (result.returncode, result.stdout, result.stderr, machine.calls) == (0, "", "", [])


@pytest.mark.parametrize("user", [0, 1000])
@pytest.mark.parametrize("part", PARTS)
def test_what_is_missing_is_installed_as_root_or_by_sudo(part, user, tmp_path):
    machine = Machine(tmp_path, user)
    machine.add_apt(part)
    machine.add_sudo(password=False)
    result = machine.install(part)
    assert result.returncode == 0, result.stderr
    assert machine.calls == ["apt-get update -qq", f"apt-get install -y -qq {PACKAGES[part]}"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("sudo", ["none", "password"])
def test_who_may_not_install_is_told_the_command(part, sudo, tmp_path):
    machine = Machine(tmp_path, 1000)
    machine.add_apt(part)
    if sudo == "password":
        machine.add_sudo(password=True)
    result = machine.install(part)
    assert result.returncode == 1
    assert machine.calls == []
    command = f"sudo apt-get install {PACKAGES[part]}"
    if part == "browser":
        command = "python3 -m playwright install --with-deps chromium"
    (line,) = result.stderr.splitlines()
    assert re.fullmatch(rf"expected .*, found none; run '{command}', then run make again", line)


@pytest.mark.parametrize("part", PARTS)
def test_elsewhere_one_line_says_what_to_install(part, tmp_path):
    result = Machine(tmp_path).install(part)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert re.fullmatch(r"expected .*, found none; .*, then run make again", line)


@pytest.mark.parametrize("part", PARTS)
def test_a_failing_apt_ends_it(part, tmp_path):
    machine = Machine(tmp_path)
    machine.add_apt(part, "exit 100")
    result = machine.install(part)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("expected ")


def test_an_old_python_is_not_taken(tmp_path):
    machine = Machine(tmp_path)
    machine.add("python3", "exit 1")
    result = machine.install("python")
    assert result.returncode == 1
    assert "expected Python 3.11 or newer with venv, found none" in result.stderr


def test_where_apt_has_no_chromium_playwright_brings_one(tmp_path):
    machine = Machine(tmp_path)
    there = tmp_path / "browser-of-playwright"
    machine.add_apt("browser", '[ "$1" = update ] || exit 100')
    machine.add("python3", f'[ "$1" != -m ] || : > {there}\n[ -e {there} ]', logged=False)
    assert machine.install("browser").returncode == 0
    assert there.exists()
    assert machine.calls == ["apt-get update -qq", "apt-get install -y -qq chromium"]


def test_the_tests_command_installs_all_parts():
    result = subprocess.run(
        ["make", "--dry-run", "--always-make", "--no-print-directory", "test"],
        cwd=ROOT, env=os.environ | {"MAKEFLAGS": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert re.findall(r"tools/install\.sh (\w+)", result.stdout) == PARTS
    assert "-m pytest -n " in result.stdout.splitlines()[-1]
