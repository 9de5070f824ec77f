"""The root of the daemon's own errors, and the exit code of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeAlias

# JSON in the `data` of an error.
Fact: TypeAlias = "bool | int | float | str | list[Fact] | tuple[Fact, ...] | Mapping[str, Fact] | None"

EXIT_FAILURE = 1
EXIT_CONFIGURATION = 2
EXIT_DATADIR = 3  # locked by another daemon, or a database newer than the program


class DaemonError(Exception):
    """Root of this package's errors. The text is one or two sentences for the operator, and names the remedy.

    `reason` is stable and machine-readable; `exit_code` is that of `musigd` if the error ends it.
    """

    reason: str = "failure"
    exit_code: ClassVar[int] = EXIT_FAILURE


class Refused(DaemonError):
    """A request is refused, and the client can act on it. `daemon/api/guard.py` translates it for clients.

    The text is a sentence that names what to do and holds no secret; `facts` go into `data`, camelCase as in the API.
    `reason` is one of the reasons that clients know.
    """

    def __init__(self, sentence: str, **facts: Fact) -> None:
        super().__init__(sentence)
        self.facts: dict[str, Fact] = facts


class NotFound(Refused):
    """What was named does not exist, or belongs to keys of another token, which is not revealed. `what` is a noun."""

    reason = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"No such {what} here; check the id, or list what there is.")


class InvalidParam(Refused):
    """A param that its model allows and the daemon refuses; `message` goes on after the name, `path`."""

    reason = "invalid_params"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}", errors=[{"path": path, "message": message}])
