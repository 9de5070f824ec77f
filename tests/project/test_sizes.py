"""Files, functions and folders stay small enough to be read at once."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGES = ("config", "daemon", "musig2", "p2p", "rpc", "clients/python")
GENERATED = "Written by `python -m rpc.schema."
MOST_LINES = {"tests": 400}  # a table of cases may be longer than a file of the program
MOST_LINES_OF_PROGRAM = 350
MOST_LINES_OF_FUNCTION = 60
MOST_FILES = {"tests": 17}
MOST_FILES_OF_PROGRAM = 13  # without __init__.py


def sources(top: str) -> Iterator[Path]:
    for path in sorted((PROJECT / top).rglob("*.py")):
        if GENERATED not in path.read_text(encoding="utf-8")[:600] and "build" not in path.parts:
            yield path.relative_to(PROJECT)


every_top = pytest.mark.parametrize("top", [*PACKAGES, "tests"])


@every_top
def test_no_file_is_too_long(top: str) -> None:
    most = MOST_LINES.get(top, MOST_LINES_OF_PROGRAM)
    found = {str(path): len((PROJECT / path).read_text().splitlines()) for path in sources(top)}
    assert {path: lines for path, lines in found.items() if lines > most} == {}, f"at most {most}: split it at a seam"


@every_top
def test_no_function_is_too_long(top: str) -> None:
    found = {
        f"{path}: {node.name}": node.end_lineno - node.lineno + 1
        for path in sources(top)
        for node in ast.walk(ast.parse((PROJECT / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    }
    too_long = {name: lines for name, lines in found.items() if lines > MOST_LINES_OF_FUNCTION}
    assert too_long == {}, f"at most {MOST_LINES_OF_FUNCTION} lines: name the parts"


@every_top
def test_no_folder_is_too_full(top: str) -> None:
    most = MOST_FILES.get(top, MOST_FILES_OF_PROGRAM)
    found = Counter(str(path.parent) for path in sources(top) if path.name != "__init__.py")
    assert {folder: files for folder, files in found.items() if files > most} == {}, f"at most {most}: divide it"


def test_no_generated_folder_is_kept_in_the_tree() -> None:
    """What .gitignore names can still be added by force; a mass of it once was."""
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-from=.gitignore"]
    kept = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert kept == []
