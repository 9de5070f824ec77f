"""Output of commands, on streams that may be closed, full, of another encoding, or unread."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress
from typing import Final, TextIO

from config.output.outlet import write_within
from config.text.plain_text import escaped

STDOUT: Final = 1
STDERR: Final = 2
COMPLAINT_SECONDS: Final = 2.0
ESCAPES: Final = "musigd.escapes"


class OutputFailed(Exception):
    """Standard output cannot be written; the text says why."""


def open_standard_streams() -> None:
    """Give the process all three streams. Call it before anything else opens a file.

    A stream that was closed becomes /dev/null: else the next file opened, such as the database, would get its number,
    and whatever is written to standard error would land in it. What the encoding of a stream cannot show is escaped.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(opened, True)
    os.close(opened)
    sys.stdin = sys.stdin or _null(0)
    sys.stdout = sys.stdout or _Closed()
    sys.stderr = sys.stderr or _null(STDERR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPES)


def is_terminal(descriptor: int) -> bool:
    """Whether a person reads what is written there."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def say(text: str) -> None:
    """Write to standard output, now, with what a terminal would obey escaped.

    Raises BrokenPipeError when its reader has gone, OutputFailed for the rest.
    """
    try:
        sys.stdout.write(escaped(text, lines=True))
        sys.stdout.flush()
    except OSError as error:
        give_up_output()
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputFailed(f"standard output cannot be written: {error.strerror}") from error


def complain(text: str) -> None:
    """Write a line to standard error, if that is possible."""
    with suppress(OSError, ValueError):
        try:
            descriptor = sys.stderr.fileno()
        except OSError:  # something in memory, as in a test
            sys.stderr.write(f"{text}\n")
            return
        write_within(descriptor, f"{text}\n".encode(stderr_encoding(), ESCAPES), COMPLAINT_SECONDS)


def encoded(text: str) -> bytes:
    """The text as standard output shows it, for code that writes there directly."""
    return text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", ESCAPES)


def stderr_encoding() -> str:
    """The encoding of standard error, from the environment."""
    return getattr(sys.stderr, "encoding", None) or "utf-8"


def give_up_output() -> None:
    """Drop what standard output has not taken: the interpreter would try again at its end, and fail with 120."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _null(descriptor: int) -> TextIO:
    return os.fdopen(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False)


class _Closed(io.StringIO):
    """Standard output that was closed when the process started: what is said there fails, as it should."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "it is closed")


def _escape(error: UnicodeError) -> tuple[str, int]:
    """As JSON and TOML escape what they cannot hold, so that they stay what they are."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2)), error.end


codecs.register_error(ESCAPES, _escape)
