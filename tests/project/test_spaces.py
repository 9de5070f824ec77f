"""A checkout works in a directory whose name has a space: no shell reads a path as part of a command."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import samplers
from tests.project.locks import PROJECT

CODE = ("clients/python", "config", "daemon", "examples", "musig2", "p2p", "rpc", "tests", "vendor")
PASTED = {"test_two_daemons.py", "test_demo.py"}  # they run what README says and what the demo prints


def test_the_benchmark_in_a_namespace_starts_with_spaces_in_every_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "some programs"
    programs.mkdir()
    for name, script in {"unshare": 'shift; exec "$@"', "ip": "exit 0", "python": 'printf "%s\\n" "$@"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    result = subprocess.run(
        samplers.alone([str(programs / "python"), "-m", "a module", "a case"]),
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stderr == ""
    assert result.stdout.splitlines() == ["-m", "a module", "a case"]


def test_no_program_puts_a_path_into_a_shell_command() -> None:
    found = {
        f"{file.relative_to(PROJECT)}:{line}"
        for package in CODE
        for file in (PROJECT / package).rglob("*.py")
        if file.name not in PASTED
        for line in shell_commands(ast.parse(file.read_text()))
    }

    assert found == set()


def shell_commands(tree: ast.AST) -> Iterator[int]:
    """Lines that give a shell a command to read, other than one fixed text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            shell = any(keyword.arg == "shell" for keyword in node.keywords)
            if shell or name in {"create_subprocess_shell", "system", "popen"}:
                yield node.lineno
        if not isinstance(node, ast.expr):
            continue
        words = getattr(node, "elts", None) or getattr(node, "args", None)
        for before, flag, command in zip(words, words[1:], words[2:], strict=False) if isinstance(words, list) else ():
            fixed = [word.value for word in (before, flag) if isinstance(word, ast.Constant)]
            if fixed in (["sh", "-c"], ["bash", "-c"]) and not isinstance(command, ast.Constant):
                yield node.lineno


def test_no_recipe_of_the_makefile_has_a_path_out_of_quotes() -> None:
    recipes = (PROJECT / "Makefile").read_text()

    assert re.findall(r'(?<!")\$\((?:CURDIR|PWD|abspath[^)]*|realpath[^)]*|NODE|PYTHON)\)(?!")', recipes) == []
    assert re.findall(r'(?<!")\$\$\{?(?:PWD|HOME|TMPDIR)', recipes) == []
