"""Each path and dotted name in docs, docstrings and comments exists: a file that moves takes its mentions along."""

from __future__ import annotations

import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import setting_names
from rpc.methods.table import METHODS

PROJECT = Path(__file__).parents[2]
ROOMS = ("daemon", "rpc", "musig2", "p2p", "config", "tests", "docs", "examples", "clients", "systemd", ".ci")
SPEAK = ("*.md", "Makefile", "Dockerfile", ".ci", "systemd", *(f"{room}/*.py" for room in ROOMS if room != "tests"))
PATH = re.compile(rf"(?<![\w./~$>}}-])((?:{'|'.join(map(re.escape, ROOMS))})/[\w./-]*\w)(?![\w*<{{(])")
FILE = re.compile(r"(?<![\w./-])([a-z_][\w-]*(?:/[\w-]+)*\.(?:py|sql))\b")
MODULE = re.compile(r"-m ((?:daemon|rpc|musig2|p2p|config|tests)(?:\.\w+)+)")
DOTTED = re.compile(r"`((?:daemon|rpc|musig2|p2p|config)(?:\.\w+)+)(?:\([^`]*\))?`")
OTHERS = {"config.py", "daemon.py", "rpc.py"}  # files of a wallet's own that the docs speak of
MADE = ("docs/browser",)  # written by a run, not kept


def tracked(*patterns: str) -> list[str]:
    """The files of the tree that match, new ones included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (PROJECT / name).exists()]


FILES = tracked()
PLACES = {"/".join(name.split("/")[:depth]) for name in FILES for depth in range(1, name.count("/") + 2)}


def prose(name: str) -> Iterator[str]:
    """The lines that may name the tree: all of a document, comments and docstrings of code."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    if not name.endswith(".py"):
        yield from text.splitlines()
        return
    yield from re.findall(r"#.*", text)
    for docstring in re.findall(r'"""(.*?)"""', text, flags=re.DOTALL):
        yield from docstring.splitlines()


def unknown(name: str) -> list[str]:
    """The paths that this file names and the tree lacks."""
    missing = []
    for line in prose(name):
        missing += [path for path in PATH.findall(line) if path not in PLACES and not path.startswith(MADE)]
        missing += [
            file
            for file in FILE.findall(line)
            if file not in OTHERS and not any(known == file or known.endswith("/" + file) for known in FILES)
        ]
        missing += [
            module
            for module in MODULE.findall(line)
            if not {module.replace(".", "/") + ".py", module.replace(".", "/")} & (set(FILES) | PLACES)
        ]
    return missing


def is_there(name: str) -> bool:
    """Whether a dotted name is a module, something in one, a setting or a method of the API."""
    if name in METHODS or name in setting_names():
        return True
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if part in getattr(found, "__annotations__", {}):
                return True
            found = getattr(found, part, None)
        return found is not None
    return False


@pytest.mark.parametrize("name", sorted(set(tracked(*SPEAK)) - {"CHANGELOG.md"}))
def test_every_path_that_a_file_names_is_in_the_tree(name: str) -> None:
    assert unknown(name) == []


def test_every_dotted_name_in_docs_and_docstrings_is_in_the_program() -> None:
    files = set(tracked(*SPEAK)) - {"CHANGELOG.md"}
    named = {(file, found) for file in files for line in prose(file) for found in DOTTED.findall(line)}
    assert len(named) > 50
    assert sorted((file, found) for file, found in named if not is_there(found)) == []


def test_a_path_that_does_not_exist_is_found() -> None:
    assert PATH.findall("see `daemon/nowhere.py` and docs/decisions/libp2p.md") == [
        "daemon/nowhere.py",
        "docs/decisions/libp2p.md",
    ]
    assert "daemon/nowhere.py" not in PLACES
    assert "docs/decisions/libp2p.md" in PLACES


def test_no_file_holds_the_marks_of_an_unfinished_merge() -> None:
    marks = [
        name
        for name in FILES
        if b"\n<<<<<<< " in (content := (PROJECT / name).read_bytes()) or b"\n>>>>>>> " in content
    ]
    assert marks == []
