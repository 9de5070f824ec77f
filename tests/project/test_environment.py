"""`make` installs the locked set, and says what a machine lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import fake_index
from tests.project.fake_index import installed
from tests.project.locks import PROJECT
from tests.project.test_named_paths import tracked

pytestmark = pytest.mark.slow
RUN = {"builder": "1.0", "part": "1.0", "whole": "1.0", "musigd": "1.0"}
DEV = {**RUN, "measure": "1.0", "tool": "1.0"}
INSTALLERS = ["pip", *(["uv"] if shutil.which("uv") else [])]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """The folder in which only the locked versions exist."""
    return fake_index.index(tmp_path / "only locked", "1.0")


@pytest.fixture
def clone(tmp_path: Path, packages: Path) -> Path:
    """A project with its own locks, in a directory with a space in its name."""
    return fake_index.clone(tmp_path / "a clone", packages)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory at the head of PATH, in which compilers fail."""
    directory = tmp_path / "programs"
    directory.mkdir()
    for compiler in ("cc", "gcc", "c++", "g++"):
        program(directory / compiler, "exit 1")
    return directory


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make(clone: Path, target: str, path: Path, index: Path, installer: str = "pip", **more: str) -> tuple[int, str]:
    """Exit code and stderr of a target, with `index` as the only source of packages and no uv unless asked for."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    system = os.environ["PATH"].split(os.pathsep)
    if installer == "pip":
        system = [directory for directory in system if not Path(directory, "uv").exists()]
    source = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": index.as_uri(),
        "PIP_CACHE_DIR": str(clone.parent / "pip"),
    }
    source |= {"UV_NO_CONFIG": "1", "UV_DEFAULT_INDEX": index.as_uri(), "UV_CACHE_DIR": str(clone.parent / "uv")}
    environment = {**kept, **source, "PATH": os.pathsep.join([str(path), *system]), **more}
    done = subprocess.run(["make", target], cwd=clone, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("installer", INSTALLERS)
def test_the_locked_set_is_installed_whatever_was_published_since(
    tmp_path: Path, clone: Path, packages: Path, path: Path, installer: str
) -> None:
    newer = fake_index.index(tmp_path / "newer too", "1.0", "1.1", "9.0")

    for target, index, expected in (
        ("demo", packages, RUN),  # what running needs
        ("test", packages, DEV),  # and the tools on top
        ("demo", packages / "gone", DEV),  # nothing is installed again, nothing is asked for
        ("test", packages / "gone", DEV),
    ):
        code, said = make(clone, target, path, index, installer)
        assert (code, "uv could not" in said) == (0, False), said
        assert installed(clone / ".venv") == expected

    for lock in clone.glob("*.lock"):  # a lock file that names less
        lock.write_text("".join(line for line in lock.read_text().splitlines(True) if "whole" not in line))
    assert make(clone, "test", path, newer, installer)[0] == 0
    assert installed(clone / ".venv") == {name: version for name, version in DEV.items() if name != "whole"}


def test_a_build_leaves_nothing_in_the_checkout(tmp_path: Path) -> None:
    """Such as build/, from which a module that has moved since would be installed too."""
    checkout = tmp_path / "a checkout"
    for name in (name for name in tracked() if not name.startswith("tests/")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, checkout / name)
    before = set(checkout.rglob("*"))
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    wheels = tmp_path / "wheels"
    wheels.mkdir()

    subprocess.run([sys.executable, "-B", "-c", build, wheels], cwd=checkout, capture_output=True, check=True)

    assert [wheel.name for wheel in wheels.iterdir()] == ["musigd-0.1.0-py3-none-any.whl"]
    assert set(checkout.rglob("*")) == before


def test_a_package_with_other_bytes_is_refused(tmp_path: Path, clone: Path, path: Path) -> None:
    forged = fake_index.index(tmp_path / "forged", "1.0")
    shutil.copy(forged / "measure/measure-1.0-py3-none-any.whl", forged / "part/part-1.0-py3-none-any.whl")

    code, said = make(clone, "demo", path, forged)

    assert code != 0
    assert "hash" in said.lower()
    assert "part" not in installed(clone / ".venv")


def test_where_uv_fails_pip_installs_and_hears_no_variable_that_changes_what_is_installed(
    tmp_path: Path, clone: Path, packages: Path, path: Path
) -> None:
    program(path / "uv", "echo 'no such index' >&2; exit 2")
    constraint = tmp_path / "constraint.txt"
    constraint.write_text("part==9.0\n")
    deaf = {"PIP_CONSTRAINT": str(constraint), "PIP_USER": "1", "PIP_NO_BINARY": ":all:", "PIP_REQUIRE_HASHES": "1"}

    code, said = make(clone, "demo", path, packages, **deaf)

    assert code == 0, said
    assert "no such index\nuv could not install this; pip is tried now." in said
    assert installed(clone / ".venv") == RUN


def test_an_unsupported_python_is_refused_with_a_sentence(clone: Path, packages: Path, path: Path) -> None:
    program(clone / "python3.9", "case $1 in --version) echo 'Python 3.9.18' ;; *) exit 1 ;; esac")

    code, said = make(clone, "demo", path, packages, PYTHON="./python3.9")

    assert code != 0
    assert "musigd needs Python 3.11, 3.12 or 3.13 (found: Python 3.9.18)" in said


def test_a_python_that_uv_keeps_is_found_where_the_system_has_only_newer_ones(
    clone: Path, packages: Path, path: Path
) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        program(path / name, "case $1 in --version) echo 'Python 3.15.0' ;; *) exit 1 ;; esac")

    program(path / "uv", "exit 2")
    code, said = make(clone, "demo", path, packages)
    assert code != 0
    assert "(found: Python 3.15.0). Install one and name it" in said
    assert "uv python install 3.13" in said

    program(
        path / "uv",
        f'case "$*" in "python find --system"*) echo "{Path(sys.executable).resolve()}" ;; *) exit 2 ;; esac',
    )
    code, said = make(clone, "demo", path, packages)
    assert code == 0, said
    assert installed(clone / ".venv") == RUN


def test_an_intel_mac_without_compilers_is_told_what_to_install(clone: Path, packages: Path, path: Path) -> None:
    program(path / "uname", "case $1 in -s) echo Darwin ;; -m) echo x86_64 ;; esac")

    code, said = make(clone, "demo", path, packages, CC="no-such-compiler")

    assert code != 0
    assert "brew install rust" in said
    assert not (clone / ".venv").exists()
