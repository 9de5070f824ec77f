"""What holds for all tests: each leaves logging as it found it, and finds a short directory and, if marked, IPv6."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from functools import cache
from tempfile import gettempdir
from typing import Final

import pytest
import structlog

_TEMPORARY: Final = "/tmp"
_LONGEST: Final = 16  # characters; what pytest and a test add has to fit into the 107 of a unix socket's path


def pytest_configure() -> None:
    """Where TMPDIR is long, as on a Mac, the directories of tests are made elsewhere: they hold unix sockets."""
    if len(gettempdir()) > _LONGEST and os.access(_TEMPORARY, os.W_OK | os.X_OK):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _TEMPORARY)


@cache
def _has_ipv6() -> bool:
    """Whether `::1` can be listened at; in many containers it cannot."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs IPv6 on a machine that has none."""
    if not _has_ipv6():
        left_out = [item for item in items if item.get_closest_marker("ipv6")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say that it was left out."""
    if not _has_ipv6():
        terminalreporter.write_line("This machine has no IPv6 (no ::1): the tests marked ipv6 were left out.")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, configured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    if structlog.get_config() != configured:
        structlog.configure(**configured)
