"""What holds for all tests: each leaves logging as it found it, and finds a short directory and what it needs."""

from __future__ import annotations

import logging
import os
import shutil
import socket
from collections.abc import Iterator
from functools import cache
from tempfile import gettempdir
from typing import Final

import pytest
import structlog

_TEMPORARY: Final = "/tmp"
NEEDS: Final = ("::1", "curl")  # whatever else a test takes, every machine has that runs the suite
_LONGEST: Final = 16  # characters; what pytest and a test add has to fit into the 107 of a unix socket's path


def pytest_configure() -> None:
    """Where TMPDIR is long, as on a Mac, the directories of tests are made elsewhere: they hold unix sockets."""
    if len(gettempdir()) > _LONGEST and os.access(_TEMPORARY, os.W_OK | os.X_OK):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _TEMPORARY)


@cache
def _is_here(need: str) -> bool:
    """Whether this machine has a program, or `::1`, which many containers lack."""
    if need != "::1":
        return shutil.which(need) is not None
    try:
        with socket.create_server((need, 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def _lacking(item: pytest.Item) -> bool:
    needs = [need for marker in item.iter_markers("needs") for need in marker.args]
    if unknown := set(needs) - set(NEEDS):
        raise pytest.UsageError(f"{item.nodeid} needs {unknown}: add it to NEEDS of tests/conftest.py, or do without")
    return not all(map(_is_here, needs))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that are marked as needing what this machine has not."""
    if left_out := [item for item in items if _lacking(item)]:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say that they were left out. (The workers chose them, and do not tell which.)"""
    if missing := [need for need in NEEDS if not _is_here(need)]:
        terminalreporter.write_line(f"Left out was what needs {' and '.join(missing)}: this machine has none.")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, configured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    if structlog.get_config() != configured:
        structlog.configure(**configured)
