"""What `make` says on a machine that lacks something, and what the lock files promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
COPIED = (".ci/environment", "requirements-dev.lock", "pyproject.toml", "Makefile")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a fresh clone as the targets look at first, in a directory with a space in its name."""
    clone = tmp_path / "a clone"
    for name in COPIED:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, clone / name)
    return clone


def make(clone: Path, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    return subprocess.run(
        ["make", target], cwd=clone, env={**clean, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("target", ["demo", "test", "check"])
def test_without_a_compiler_one_install_command_is_printed(clone: Path, target: str) -> None:
    result = make(clone, target, CC="false")

    assert result.returncode != 0
    assert "Install them with:" in result.stderr
    assert re.search(r"apt-get install|dnf install|apk add|brew install|package manager", result.stderr)
    assert not (clone / ".venv").exists()


def test_an_unsupported_python_is_refused_with_a_sentence(clone: Path) -> None:
    old = clone / "python3.9"
    old.write_text("#!/bin/sh\ncase $1 in --version) echo 'Python 3.9.18' ;; *) exit 1 ;; esac\n")
    old.chmod(0o755)

    result = make(clone, "demo", PYTHON="./python3.9")

    assert result.returncode != 0
    assert "musigd needs Python 3.11, 3.12 or 3.13 (found: Python 3.9.18)" in result.stderr


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_version_has_hashes_and_no_index_is_named(name: str) -> None:
    content = (PROJECT / name).read_text()
    pins = re.findall(r"^\S+==\S+", content, re.MULTILINE)
    hashed = re.findall(r"^\S+==\S+.*\\\n +--hash=sha256:[0-9a-f]{64}", content, re.MULTILINE)

    assert len(pins) == len(hashed) > 50
    assert "://" not in content
    assert "index" not in content
