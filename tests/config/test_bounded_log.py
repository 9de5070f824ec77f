"""What others can cause fills no log, hides no other line, and is counted; whichever part or library logs it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from config.logging import LogOutlet, log_to
from config.output.bounded_log import MOST, MOST_AFTER_A_FLOOD, SPAN_S, BoundedKinds
from config.output.outlet import Outlet


class Written:
    """The log of the process in a file, on a clock that the test sets."""

    def __init__(self, path: Path, level: str = "info") -> None:
        self.now_s = 0.0
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
        self._outlet = Outlet(self._descriptor)
        log_to(LogOutlet(self._outlet, bounds=BoundedKinds(lambda: self.now_s)), level, "console")

    def lines(self) -> list[str]:
        assert self._outlet.flush(60)
        return self._path.read_text().splitlines()

    def end(self) -> None:
        assert self._outlet.close(60)
        os.close(self._descriptor)


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    made = Written(tmp_path / "log")
    yield made
    made.end()


def ban(number: int) -> None:
    structlog.get_logger("musigd.test").warning("peer banned", peer=f"peer-{number}")


def test_of_a_flood_some_lines_are_written_and_the_others_counted_while_other_kinds_go_on(written: Written) -> None:
    for number in range(MOST + 940):
        ban(number)
    structlog.get_logger("musigd.test").info("a friend asks")
    written.now_s = SPAN_S
    structlog.get_logger("musigd.test").info("a friend asks")
    *flood, friend, told, again = written.lines()
    assert len(flood) == MOST
    assert all("peer banned" in line for line in flood)
    assert "a friend asks" in friend
    assert "a friend asks" in again
    assert "940 more lines of this kind were left out: peer banned" in told
    assert "warning" in told


def test_a_flood_that_goes_on_gets_fewer_lines_until_it_is_over(written: Written) -> None:
    counts = []
    for flood in (MOST + 1, MOST, MOST_AFTER_A_FLOOD, MOST):
        before = len(written.lines())
        for number in range(flood):
            ban(number)
        counts.append(sum("peer banned  " in line or "peer=" in line for line in written.lines()[before:]))
        written.now_s += SPAN_S
    assert counts == [MOST, MOST_AFTER_A_FLOOD, MOST_AFTER_A_FLOOD, MOST]


def test_events_at_one_place_are_kinds_of_their_own(written: Written) -> None:
    for event in ("a key is declined", "a key is joined"):
        for _ in range(MOST + 1):
            structlog.get_logger("musigd.test").info(event)
    assert len(written.lines()) == 2 * MOST


def test_lines_of_libraries_are_bounded_whatever_they_put_into_the_text(written: Written) -> None:
    for number in range(2 * MOST):
        logging.getLogger("aiohttp.server").error(f"a request of {number} cannot be read")
        logging.getLogger("libp2p.x").critical("a stream of %s failed", number)
    assert len(written.lines()) == 2 * MOST


def test_whoever_asks_for_debug_lines_gets_all(tmp_path: Path) -> None:
    written = Written(tmp_path / "log", "debug")
    for _ in range(3 * MOST):
        structlog.get_logger("musigd.test").debug("a stream has ended")
    assert len(written.lines()) == 3 * MOST
    written.end()
