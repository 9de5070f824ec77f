"""Every test asserts what its reader sees (`assert`, `pytest.raises`, a function called `assert_...`), and ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
RAISES = {"raises", "warns", "refused"}  # `refused`, of the tests' worlds, expects a call to be refused
SKIPS = {"skip", "skipif", "xfail", "importorskip"}
SERVES = re.compile(r"asyncio\.start_(?:unix_)?server\(")
WAITS = re.compile(r"wait_closed\(|async with (?:await )?(?:asyncio\.start_|\w*server\b)")


def names_called(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            called = part.func
            yield called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def asserts(test: ast.AST) -> bool:
    if any(isinstance(part, ast.Assert) for part in ast.walk(test)):
        return True
    return any(name in RAISES or name.startswith("assert_") for name in names_called(test))


def written_tests(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def test_every_test_asserts_something_visible() -> None:
    silent = [
        f"{path.relative_to(TESTS)}:{test.lineno} {test.name}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for test in written_tests(path)
        if not asserts(test)
    ]
    assert silent == [], "say with an assert what the test shows"


def test_no_test_is_skipped() -> None:
    skipping = [
        f"{path.relative_to(TESTS)}: {name}"
        for path in sorted(TESTS.rglob("*.py"))
        for name in names_called(ast.parse(path.read_text()))
        if name in SKIPS
    ]
    assert skipping == []


def test_no_test_with_a_server_waits_for_connections_that_may_end_after_it() -> None:
    texts = {str(path.relative_to(TESTS)): path.read_text() for path in sorted(TESTS.rglob("*.py"))}
    serving = {name: text for name, text in texts.items() if SERVES.search(text)}
    waiting = [name for name, text in serving.items() if WAITS.search(text)]
    assert "serving.py" in serving
    assert waiting == [], "from Python 3.12 on, closing a server does: take `serving` of tests/serving.py"
