"""The environments in which a start is tried, and how each command must end in them.

One line each: name, environment, expectation. `WORKS`: the daemon becomes ready, and everything ends with 0. `refused`:
nothing starts, and everything ends with that code and a sentence with these words in it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.start.commands import Environment

STRANGER = 'unset HOME; exec unshare --user --map-user=54321 "$@"'  # a user that no file names, such as `docker --user`
UNREADABLE = f'chmod 0 "{{root}}/data/musigd.toml"; {STRANGER}'
UNWRITABLE = f'mkdir -p -m 500 "{{root}}/data"; {STRANGER}'
A_DIRECTORY = 'mkdir -p -m 700 "{root}/data/musigd.toml"; exec "$@"'
MARK = b"\xef\xbb\xbf"
OPTIMISED = {"PYTHONOPTIMIZE": "2"}
ASCII = {"PYTHONIOENCODING": "ascii"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
COMMAS = b'[p2p]\nannounce = ["/ip4/203.0.113.7/tcp/4327",]\n'


@dataclass(frozen=True)
class Expected:
    """Exit codes of `config check`, `doctor` and `getInfo`; that of `run`, and whether it becomes ready before.

    `says`: words of the sentence on standard error, where the code is not 0.
    """

    check: int = 0
    doctor: int = 0
    run: int = 0
    info: int = 0
    ready: bool = True
    says: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the matrix."""

    name: str
    environment: Environment
    expected: Expected


WORKS = Expected()


def refused(code: int, says: str, info: int = 3) -> Expected:
    """Nothing starts. `info`: the exit code of `getInfo`; 3 if it just finds no daemon."""
    return Expected(code, code, code, info, ready=False, says=says)


DELETED = 'mkdir "{root}/$$" && cd "{root}/$$" && rmdir "../$$"; exec "$@"'  # the working directory
ACCENTS = "d\u00e4ta \u03bb".encode()
PASSPHRASE_FILE = {"MUSIGD_KEYS__PASSPHRASE_FILE": "~nosuchuser/x"}
RELATIVE = {"MUSIGD_DATADIR": "x"}
NOBODYS = {"MUSIGD_DATADIR": "~nosuchuser/x"}
LISTS = {
    "MUSIGD_P2P__ANNOUNCE": '["/ip4/203.0.113.7/tcp/4327"]',
    "MUSIGD_RPC__ALLOWED_HOSTS": "localhost, 127.0.0.1,",
}

ROWS = (
    Row("a datadir that is not UTF-8", Environment(datadir=b"da\xffta"), WORKS),
    Row("a datadir with accents, C locale", Environment(datadir=ACCENTS, variables=C_LOCALE), WORKS),
    Row("~nosuchuser as datadir", Environment(datadir=None, variables=NOBODYS), refused(2, "~nosuchuser", 2)),
    Row("~nosuchuser as config", Environment(flags=("--config", "~nosuchuser/x")), refused(2, "~nosuchuser")),
    Row("~nosuchuser as passphrase file", Environment(variables=PASSPHRASE_FILE), refused(2, "keys.passphrase_file")),
    Row("all three streams closed", Environment('exec "$@" <&- >&- 2>&-'), Expected(1, 1, 0, 2)),
    Row("a configuration file that is not UTF-8", Environment(toml=b'network = "\xff"'), refused(2, "must be UTF-8")),
    Row("a configuration file that is a directory", Environment(A_DIRECTORY), refused(2, "musigd.toml cannot be read")),
    Row("a variable that is not UTF-8", Environment(variables={"MUSIGD_NETWORK": b"\xff"}), refused(2, "network")),
    Row("no TMPDIR, in a deleted directory", Environment(DELETED, variables={"TMPDIR": "/nowhere"}), WORKS),
    Row(
        "16 open files at most", Environment('ulimit -n 16; exec "$@"'), Expected(0, 1, 1, 3, False, "raise the limit")
    ),
    Row("an ASCII terminal, PYTHONOPTIMIZE=2", Environment(datadir=ACCENTS, variables=ASCII | OPTIMISED), WORKS),
    Row("both output streams full", Environment('exec "$@" >/dev/full 2>/dev/full'), Expected(1, 1, 0, 2)),
    Row(
        "a byte order mark, commas too many, no reader",
        Environment(toml=MARK + COMMAS, variables=LISTS, reader_gone=True),
        WORKS,
    ),
)

# What the suite shows elsewhere, or in another line: for the table only.
FURTHER = (
    Row("a datadir with accents, ASCII terminal", Environment(datadir=ACCENTS, variables=ASCII), WORKS),
    Row("PYTHONOPTIMIZE=2", Environment(variables={"PYTHONOPTIMIZE": "2"}), WORKS),
    Row("standard output full", Environment('exec "$@" >/dev/full'), Expected(1, 1, 0, 2, says="No space left")),
    Row("standard error full", Environment('exec "$@" 2>/dev/full'), WORKS),
    Row("whoever read standard output has gone", Environment(reader_gone=True), WORKS),
    Row("a byte order mark, and commas too many", Environment(toml=MARK + COMMAS, variables=LISTS), WORKS),
    Row("a datadir name that is too long", Environment(datadir=b"x" * 300), refused(2, "File name too long")),
    Row("a relative datadir there", Environment(DELETED, datadir=None, variables=RELATIVE), refused(2, "in full", 2)),
    Row("nothing special", Environment(), WORKS),
    Row("standard error closed", Environment('exec "$@" 2>&-'), WORKS),
    Row("standard output closed", Environment('exec "$@" >&-'), Expected(1, 1, 0, 2, says="it is closed")),
    Row(
        "a configuration file nested without end", Environment(toml=b"a = " + b"[" * 100_000), refused(2, "musigd.toml")
    ),
    Row("a flag that is not UTF-8", Environment(flags=("--network", b"\xff")), refused(2, "network")),
    Row("no TMPDIR", Environment(variables={"TMPDIR": "/nowhere"}), WORKS),
    Row("PYTHONOPTIMIZE=1", Environment(variables={"PYTHONOPTIMIZE": "1"}), WORKS),
)

STRANGERS = (
    Row("no HOME, no such user", Environment(STRANGER, datadir=None), refused(2, "--datadir", 2)),
    Row("no HOME, no such user, a datadir", Environment(STRANGER), WORKS),
    Row("a file that may not be read", Environment(UNREADABLE, toml=b""), refused(2, "musigd.toml cannot be read")),
    Row("a datadir that may not be written", Environment(UNWRITABLE), Expected(0, 1, 2, 3, False, "cannot be used")),
)


def rows(*, all_of_them: bool) -> Iterator[Row]:
    """Those that this machine can make; `all_of_them`: for the table, not only those for the suite."""
    yield from ROWS
    if all_of_them:
        yield from FURTHER
    if can_be_a_stranger():
        yield from STRANGERS


@cache
def can_be_a_stranger() -> bool:
    """Whether a process may become a user without a name here; inside some containers none may."""
    return subprocess.run(["/bin/sh", "-c", STRANGER, "sh", "true"], capture_output=True, check=False).returncode == 0
