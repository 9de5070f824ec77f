"""The queue between log calls and the reader of the log: nothing there delays or harms the caller."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

import config.output.outlet as outlet_module
from config.logging import LogOutlet, log_to
from config.output.outlet import Outlet, OutletState, write_within
from config.output.printed import printing_into_the_log
from daemon.api.info import log_problems
from daemon.demo.transcript import DemoTranscript

BOUND_S = 20.0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that holds 4 KiB; whoever wants may close its ends earlier."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:
            continue


def read_all(reader: int) -> list[str]:
    with os.fdopen(reader, "rb", closefd=False) as stream:
        return stream.read().decode().splitlines()


def test_lines_that_come_together_are_written_together(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """To wake a thread for each line takes the interpreter from the event loop, which then waits to get it back."""
    written: list[list[bytes]] = []

    def write(descriptor: int, lines: list[outlet_module._Line]) -> tuple[tuple[()], None]:
        written.append([line.content for line in lines])
        return (), None

    monkeypatch.setattr(outlet_module, "GATHER_S", BOUND_S)
    monkeypatch.setattr(outlet_module, "_write_all", write)
    outlet = Outlet(pipe[1])
    for number in range(5):
        outlet.put(lambda number=number: b"%d\n" % number)
    assert outlet.flush(BOUND_S)
    assert written == [[b"0\n", b"1\n", b"2\n", b"3\n", b"4\n"]]
    outlet.close(BOUND_S)


def test_lines_arrive_in_order(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    for number in range(100):
        outlet.put(lambda number=number: b"%d\n" % number)
    assert outlet.close(BOUND_S)
    os.close(writer)
    assert read_all(reader) == [str(number) for number in range(100)]
    assert outlet.state == OutletState.of_none()


def test_an_unread_pipe_takes_no_time_and_dropped_lines_are_counted_and_reported(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer, limit_bytes=10_000)
    taken = sum(outlet.put(lambda: b"x" * 99 + b"\n") for _ in range(1_000))
    assert taken < 1_000
    assert outlet.state.dropped == 1_000 - taken
    assert outlet.state.dropped_lately
    assert not outlet.flush(0)
    found: list[str] = []
    reading = threading.Thread(target=lambda: found.extend(read_all(reader)))
    reading.start()
    assert outlet.flush(BOUND_S)
    assert outlet.put(lambda: b"it flows again\n")
    assert outlet.close(BOUND_S)
    os.close(writer)
    reading.join()
    assert found[:taken] == ["x" * 99] * taken
    assert found[taken].startswith(f"{1_000 - taken} lines were dropped here")
    assert found[-1] == "it flows again"


def test_closing_gives_up_lines_that_nobody_reads(pipe: tuple[int, int]) -> None:
    outlet = Outlet(pipe[1])
    outlet.put(lambda: b"x" * 10_000)
    assert not outlet.close(0.05)
    assert not outlet.put(lambda: b"more\n")


def test_a_failing_descriptor_raises_nothing_and_is_reported() -> None:
    with closing_full_disk() as full:
        outlet = Outlet(full)
        for _ in range(5):
            outlet.put(lambda: b"line\n")
            assert outlet.flush(BOUND_S)
        state = outlet.state
        outlet.close(BOUND_S)
    assert (state.dropped, state.failure) == (5, "No space left on device")


def closing_full_disk() -> closing[_Descriptor]:
    return closing(_Descriptor(os.open("/dev/full", os.O_WRONLY)))


class _Descriptor(int):
    def close(self) -> None:
        os.close(self)


def test_a_descriptor_that_somebody_made_non_blocking_loses_nothing(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    outlet = Outlet(writer)
    outlet.put(lambda: b"x" * 100_000 + b"\n")
    found: list[str] = []
    reading = threading.Thread(target=lambda: found.extend(read_all(reader)))
    reading.start()
    assert outlet.close(BOUND_S)
    os.close(writer)
    reading.join()
    assert found == ["x" * 100_000]


def test_the_last_lines_wait_for_a_bounded_time_too(pipe: tuple[int, int]) -> None:
    assert write_within(pipe[1], b"x" * 4096, BOUND_S)
    assert not write_within(pipe[1], b"x", 0.01)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (OutletState(0, 0, 0.0, None, None), None),
        (OutletState(9, 0, 1.0, None, None), None),
        (OutletState(9, 0, 11.0, None, None), "does not, or too slowly"),
        (OutletState(0, 7, 0.0, 5.0, None), "7 lines were dropped"),
        (OutletState(0, 7, 0.0, 3_600.0, None), None),
        (OutletState(0, 7, 0.0, 5.0, "No space left on device"), "No space left on device"),
    ],
)
def test_a_lasting_failure_is_a_problem_with_a_remedy(state: OutletState, said: str | None) -> None:
    problems = log_problems(state)
    assert [reason for reason, _ in problems] == ([] if said is None else ["log_not_written"])
    assert said is None or said in problems[0][1]


@pytest.mark.parametrize("form", ["console", "json"])
def test_everything_that_is_logged_or_printed_takes_the_same_way(form: str, tmp_path: Path) -> None:
    file = tmp_path / "log"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    outlet = Outlet(descriptor)
    log_to(LogOutlet(outlet), "info", form)
    with printing_into_the_log():
        structlog.get_logger("musigd.test").info("ours", path="\udcff", number=2**70)
        logging.getLogger("libp2p.test").critical("of a %s", "library")
        logging.getLogger("libp2p.test").critical("%d", "what is wrong")
        sys.stderr.write("written to standard error\nbearer secret-token\n")
        sys.stdout.write("written to standard output\n")
        warnings.warn("a warning", RuntimeWarning, stacklevel=1)
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
    assert outlet.close(BOUND_S)
    os.close(descriptor)
    said = file.read_text()
    for expected in ("ours", "udcff", str(2**70), "of a library", "cannot be shown", "a warning", "ZeroDivisionError"):
        assert expected in said
    assert "written to standard error" in said
    assert "written to standard output" in said
    assert "secret-token" not in said


def test_the_demo_goes_on_while_nobody_reads_its_transcript(pipe: tuple[int, int]) -> None:
    outlet = Outlet(pipe[1])
    transcript = DemoTranscript(outlet)
    with transcript.phase("sign", "Signing"):
        for _ in range(200):
            transcript.say("Alice", "x" * 100)
    assert transcript.milliseconds["sign"] >= 0
    assert not outlet.close(0)
