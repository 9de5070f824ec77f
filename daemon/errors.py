"""The root of what the daemon raises on purpose, and how each failure ends the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeAlias

# JSON that goes beside a sentence.
Fact: TypeAlias = "bool | int | float | str | list[Fact] | tuple[Fact, ...] | Mapping[str, Fact] | None"

EXIT_FAILURE = 1
EXIT_CONFIGURATION = 2
EXIT_DATADIR = 3  # locked by another daemon, or a database newer than the program


class DaemonError(Exception):
    """Root of this package's errors. The text is one sentence or two for the operator, and names the remedy.

    `reason` is stable and machine-readable; `exit_code` is what `musigd` ends with when nothing can go on.
    """

    reason: str = "failure"
    exit_code: ClassVar[int] = EXIT_FAILURE


class Refused(DaemonError):
    """Something that is not done as asked; whoever asked can act on it. `daemon/api/guard.py` tells it to clients.

    The text is a sentence that names what to do and holds no secret; `facts` go beside it, camelCase as in the API.
    `reason` is one of the reasons that clients know.
    """

    def __init__(self, sentence: str, **facts: Fact) -> None:
        super().__init__(sentence)
        self.facts: dict[str, Fact] = facts


class NotFound(Refused):
    """What was named is not here, or belongs to keys of another token: nothing leaks. `what` is a noun."""

    reason = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"No such {what} here; check the id, or list what there is.")


class InvalidParam(Refused):
    """A param that its model allows and the daemon refuses; `message` goes on after the name, `path`."""

    reason = "invalid_params"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}", errors=[{"path": path, "message": message}])
