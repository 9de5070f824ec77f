"""The outermost error handler: any unexpected error of a command becomes one sentence, never a traceback."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from config.output.terminal import OutputFailed, complain, give_up_output, open_standard_streams
from config.text.plain_text import escaped
from config.text.redaction import redact

EXIT_INTERRUPTED: Final = 130  # the code of a shell for a program that Ctrl-C ended
_CODE: Final = Path(__file__).parents[2]
_REMEDIES: Final = {
    errno.EMFILE: "raise its limit of open files (ulimit -n, or LimitNOFILE= in the unit)",
    errno.ENFILE: "this machine has no more open files to give: close some programs, or raise fs.file-max",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or raise the quota",
    errno.EROFS: "the file system is mounted read-only: name another place",
    errno.EACCES: "give this user the right to it",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.EIO: "look at the disk",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
}


def guarded(program: str, command: Callable[[], int], *, failure: int) -> int:
    """Run a command; its exit code, or `failure` with a sentence on standard error when something escapes from it."""
    code = _guarded(program, command, failure)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        give_up_output()
    except OSError as error:
        give_up_output()
        complain(f"{program}: standard output cannot be written: {error.strerror}.")
        return code or failure
    return code


def _guarded(program: str, command: Callable[[], int], failure: int) -> int:
    try:
        open_standard_streams()
        return int(command())
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, such as `head`: no failure
        give_up_output()
        return 0
    except BaseException as error:  # noqa: BLE001 - nothing comes after this
        for sentence in _sentences(error):
            complain(f"{program}: {escaped(sentence, lines=True)}")
        return int(getattr(error, "exit_code", failure))


def _sentences(error: BaseException) -> Sequence[str]:
    if hasattr(error, "exit_code"):  # raised on purpose, with sentences of its own
        return getattr(error, "problems", (str(error),))
    return (redact(sentence_of(error)),)


def sentence_of(error: BaseException) -> str:
    """What went wrong and what to do, for an unexpected error."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OutputFailed):
        return f"{error}."
    if isinstance(error, MemoryError):
        return "There is not enough memory: stop other programs, or raise the limit of this one."
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "No further thread can be started: raise the limits of this user (ulimit -u, ulimit -v, or TasksMax=)."
    if _out_of_files():
        error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return f"{where}{error.strerror}: {_REMEDIES.get(error.errno, f'it happened {_place(error)}')}."
    said = " ".join(str(error).split()) or "no more is known"
    if isinstance(error, ImportError):
        return f"A part of the program cannot be loaded ({said}): install it again."
    return f"This should not have happened, please report it: {type(error).__name__} {_place(error)}: {said}."


def _place(error: BaseException) -> str:
    """The line of our own code in which it happened, else the last one."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [place for place in places if _inside(place[0]) and place[0] != __file__]
    if not places:
        return "in the program"
    file, line = (ours or places)[-1]
    return f"in {Path(file).name}, line {line}"


def _inside(filename: str) -> bool:
    path = Path(filename)
    return path.is_relative_to(_CODE) and "site-packages" not in path.relative_to(_CODE).parts


def _out_of_files() -> bool:
    """Whether not one more file can be opened: libraries report that in many words of their own."""
    with suppress(OSError):
        os.close(os.open(os.devnull, os.O_RDONLY))
        return False
    return True
