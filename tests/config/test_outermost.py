"""Any exception that leaves a command becomes one sentence and an exit code."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import SettingsError
from config.output.outermost import guarded, sentence_of
from config.output.terminal import encoded, say

FAILURE = 7
NO_MEMORY = "There is not enough memory: stop other programs, or raise the limit of this one."
NO_THREAD = "No further thread can be started: raise the limits of this user (ulimit -u, ulimit -v, or TasksMax=)."
A_FAULT = "This should not have happened, please report it"


def raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SettingsError("The first.", "The second."), 2, "x: The first.\nx: The second.\n"),
        (OSError(errno.ENOSPC, "No space left", "/d"), 7, "x: /d: No space left: free some space.\n"),
        (MemoryError(), 7, f"x: {NO_MEMORY}\n"),
        (RuntimeError("can't start new thread"), 7, f"x: {NO_THREAD}\n"),
        (ImportError("no y"), 7, "x: A part of the program cannot be loaded (no y): install it again.\n"),
        (ExceptionGroup("several", [ValueError("inner")]), 7, f"x: {A_FAULT}: ValueError in the program: inner.\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (SystemExit(3), 3, ""),
        (SystemExit("text"), 1, ""),
        (SystemExit(None), 0, ""),
    ],
)
def test_every_error_has_its_sentence_and_its_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.output.outermost.give_up_output", lambda: None)
    assert guarded("x", raising(error), failure=FAILURE) == code
    assert _without_place(capsys.readouterr().err) == said


def _without_place(text: str) -> str:
    return text.replace(f"in {Path(__file__).name}, line {raising.__code__.co_firstlineno + 2}", "in the program")


def test_a_secret_in_an_unexpected_error_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    guarded("x", raising(ValueError('{"passphrase": "open sesame"}')), failure=FAILURE)
    assert "open sesame" not in capsys.readouterr().err


def test_the_error_for_too_many_open_files_is_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", refuse)
    assert sentence_of(ImportError("libx.so: cannot open shared object file")).startswith("Too many open files: raise")


def test_text_that_a_terminal_cannot_show_is_escaped_as_in_json_and_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    assert guarded("x", lambda: say("d\u00e4ta \U0001f511 \udcff\n") or 0, failure=FAILURE) == 0
    assert screen.buffer.getvalue() == b"d\\u00e4ta \\ud83d\\udd11 \\udcff\n"
    assert encoded("d\u00e4ta") == b"d\\u00e4ta"


def test_the_number_of_a_closed_stream_is_not_given_to_the_next_file() -> None:
    code = """
import os, sys
from config.output.outermost import guarded
print(guarded("x", lambda: os.open("/dev/zero", os.O_RDONLY), failure=7), file=open(sys.argv[1], "w"))
"""
    reader, writer = os.pipe()
    closing = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code, f"/dev/fd/{writer}"]
    subprocess.run(closing, pass_fds=(writer,), timeout=20, check=True)
    os.close(writer)
    with os.fdopen(reader) as told:
        assert int(told.read()) > 2
