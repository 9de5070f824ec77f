"""The errors of this package. What is wrong with the bytes of a peer is for counters and logs, not for that peer."""

from __future__ import annotations

from typing import ClassVar


class ProtocolError(Exception):
    """Root of everything this package raises on purpose; `reason` is stable and machine-readable."""

    reason: ClassVar[str] = "protocol"


class BadEncoding(ProtocolError, ValueError):
    """These bytes are not what the protocol allows at this place. Counts towards a ban of the peer that made them.

    `problem` says what is wrong in words chosen here: it holds no bytes of the peer.
    """

    reason = "bad_encoding"

    def __init__(self, problem: str) -> None:
        super().__init__(f"refused by the encoding rules: {problem}")
        self.problem = problem


class BadSignature(ProtocolError):
    """A signature or countersignature does not hold. Counts towards a ban of the peer that delivered the record."""

    reason = "bad_signature"

    def __init__(self, what: str = "record") -> None:
        super().__init__(f"the {what} is not signed by whom it names: drop it")


class InvalidRecord(ProtocolError, ValueError):
    """A record made here breaks the rules that peers hold it to; `problem` names the field."""

    reason = "invalid_record"

    def __init__(self, problem: str) -> None:
        super().__init__(f"this record would be refused by every peer: {problem}")
        self.problem = problem
