"""Every guard has its row, and the library that is locked still has every fault that can be shown."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import p2p.compat
from tests.libp2p import check
from tests.libp2p.check import verdict
from tests.libp2p.guards import GUARDS, Guard
from tests.libp2p.page import PAGE, page

ROOT = Path(__file__).parents[2]
COMPAT = ROOT / "p2p/compat"
COVERED = [name for guard in GUARDS for name in guard.covers]
MODULES = [name for _, name, _ in pkgutil.iter_modules(p2p.compat.__path__)]


def classes(module: str) -> list[type]:
    found = vars(importlib.import_module(f"p2p.compat.{module}"))
    return [each for each in found.values() if inspect.isclass(each) and each.__module__ == f"p2p.compat.{module}"]


def replaced(module: str) -> Iterator[str]:
    """What a module's classes replace of the library's, and the classes that replace nothing, as in `covers`."""
    for each in classes(module):
        bases = [base for base in each.__mro__[1:] if base.__module__.startswith("libp2p")]
        own = [name for name in vars(each) if any(name in vars(base) for base in bases)]
        members = [name for name in own if name == "__init__" or not name.startswith(("__", "_abc"))]
        yield from [f"{module}.{each.__qualname__}.{name}" for name in members] or [f"{module}.{each.__qualname__}"]


def set_in_library(module: str) -> Iterator[str]:
    """Names that a module sets in modules of the library, outside functions."""
    tree = ast.parse((COMPAT / f"{module}.py").read_text())
    for node in ast.walk(tree):
        for target in node.targets if isinstance(node, ast.Assign) and node.col_offset <= 4 else ():
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id != "self":
                yield f"{module}:{target.attr}"
            if isinstance(target, ast.Subscript) and ast.unparse(target.value).startswith("vars("):
                yield f"{module}:{ast.literal_eval(target.slice)}"


def is_covered(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in COVERED)


@pytest.mark.parametrize("module", MODULES)
def test_whatever_replaces_something_of_the_library_is_a_guard_with_a_row(module: str) -> None:
    names = [*replaced(module), *(name for name in set_in_library(module) if name != f"{module}:logging")]
    missing = [name for name in names if not is_covered(name)]
    assert not missing, f"add {missing} to tests/libp2p/guards.py and run python -m tests.libp2p.page"


def test_the_table_is_that_of_the_guards() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.libp2p.page"


def test_what_a_guard_names_exists() -> None:
    for guard in GUARDS:
        for test in guard.tests:
            path, _, name = test.partition("::")
            assert f"def {name}" in (ROOT / path).read_text(), test
        for name in guard.covers:
            dotted, _, attribute = name.partition(":")
            prefix = "" if dotted.startswith("p2p.") else "p2p.compat."
            assert pkgutil.resolve_name(prefix + dotted) is not None
            assert attribute in (COMPAT / f"{dotted}.py").read_text() if attribute else True


@pytest.mark.network
def test_the_library_that_is_locked_still_has_every_fault() -> None:
    command = [sys.executable, "-m", "tests.libp2p.show"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240).stdout
    shown: dict[str, str] = {}
    for line in said.splitlines():
        if line.startswith("{"):
            shown |= json.loads(line)
    assert shown == dict.fromkeys((name for guard in GUARDS for name in guard.faults), "there")


@pytest.mark.parametrize(
    ("fault", "failed", "said"),
    [
        ("there", False, "still needed"),
        ("gone", False, "no longer needed"),
        ("gone", True, "no longer needed"),
        ("there", True, "no longer fits (test)"),
        ("misfit: AttributeError: x", False, "no longer fits (fault: misfit: AttributeError: x)"),
        ("hangs", False, "no longer fits (fault: hangs)"),
    ],
)
def test_a_release_is_judged_by_the_fault_and_the_tests_of_a_guard(fault: str, failed: bool, said: str) -> None:
    guard = Guard("guard", (), "", "", ("test",), ("fault",))
    assert verdict(guard, {"fault": fault}, {"test": failed}) == said


def test_a_guard_whose_fault_is_not_shown_is_kept_while_its_tests_pass() -> None:
    guard = Guard("guard", (), "", "", ("test",))
    assert verdict(guard, {}, {"test": False}).startswith("still needed")
    assert verdict(guard, {}, {}) == "no longer fits (test)"


def test_where_no_test_can_start_the_report_of_an_earlier_run_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "REPORT", tmp_path / "report.xml")
    check.REPORT.write_text('<testsuites><testcase classname="tests.test_x" name="test_y"/></testsuites>')
    assert check.failed_tests("false", ["tests/test_x.py::test_y"]) == {}
