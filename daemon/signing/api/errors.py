"""What the methods of signing refuse; `daemon/api/guard.py` tells it to clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from daemon.errors import Fact, Refused


class KeyNotInRequest(Refused):
    """The request does not require this key."""

    reason = "key_not_required"

    def __init__(self) -> None:
        super().__init__("This request does not ask for that key; see its requiredPublicKeys.")


class KeyNotInSession(Refused):
    """The key takes no part in the session."""

    reason = "key_not_required"

    def __init__(self) -> None:
        super().__init__("That key takes no part in this session; see its signers.")


class NotTheCreator(Refused):
    """Only the creator can cancel a request."""

    reason = "forbidden"

    def __init__(self, creator: bytes) -> None:
        super().__init__(
            "Only its creator can cancel a request, with a token that may use its key; declineSigningRequest "
            "refuses it.",
            publicKey=creator.hex(),
        )


class OtherScheme(Refused):
    """The key signs `scheme`, and the request is of another one."""

    reason = "scheme_mismatch"

    def __init__(self, pubkey: bytes, scheme: str, asked: str) -> None:
        super().__init__(
            f"This key signs {scheme} only, and the request is {asked}: use a key of that scheme.",
            publicKey=pubkey.hex(),
        )


class TooManyItems(Refused):
    """Messages times signers exceed `most`."""

    reason = "too_many"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Messages times signers must not exceed {most}; ask in parts.",
            errors=[{"path": "messages", "message": "are too many for so many signers"}],
        )


class RequestTooLarge(Refused):
    """The envelope of the request would exceed `most` bytes."""

    reason = "too_large"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The request exceeds {most} bytes; shorten its metadata.",
            errors=[{"path": "metadata", "message": "makes the request too large"}],
        )


class UnfitRequest(Refused):
    """A record that every peer would refuse; `problem` is part of a sentence."""

    reason = "invalid_params"

    def __init__(self, problem: str) -> None:
        super().__init__(f"No peer would take this request: {problem}.")


class RequestEnded(Refused):
    """The request has ended; `reason` and `sentence` say how."""

    def __init__(self, reason: str, sentence: str, facts: Mapping[str, Fact]) -> None:
        super().__init__(sentence, **facts)
        self.reason = reason


class SessionAborted(Refused):
    """This attempt was aborted. `culprits` are proved, `missing` were only absent."""

    reason = "aborted"

    def __init__(
        self,
        phase: str,
        why: str | None,
        *,
        culprits: Iterable[bytes],
        missing: Iterable[bytes],
        superseded_by: bytes | None,
    ) -> None:
        super().__init__(
            "This session was aborted; see sessionReason.",
            phase=phase,
            sessionReason=why,
            culprits=[key.hex() for key in culprits],
            missing=[key.hex() for key in missing],
        )
        if superseded_by is not None:
            self.facts["supersededBy"] = superseded_by.hex()


class AlreadySigned(Refused):
    """A complete session cannot be aborted."""

    reason = "wrong_phase"

    def __init__(self) -> None:
        super().__init__("This session is complete; a signature cannot be taken back.")


class NotSigned(Refused):
    """A broadcast can be announced only once there is a signature."""

    reason = "wrong_phase"

    def __init__(self) -> None:
        super().__init__("There is no signature yet; wait for signature:finalized, then broadcast.")


class AutoAdvanceTooLate(Refused):
    """`autoAdvance: false` for a key that is in the rounds already."""

    reason = "wrong_phase"

    def __init__(self) -> None:
        super().__init__(
            "autoAdvance: false comes too late: this key has joined already, and its partial signature is made."
        )


class AlreadyJoined(Refused):
    """A request that an own key has joined cannot be dismissed."""

    reason = "wrong_phase"

    def __init__(self) -> None:
        super().__init__("An own key has joined this request; abortSession ends it.")


class NotReady(Refused):
    """The signature is not there yet. `late`: public keys of the signers it waits for.

    `call`: the method by which the caller goes on with one of its keys; None where it is not the caller's turn.
    `asked`: those of `late` whose owner was asked and has not decided.
    """

    reason = "not_ready"

    def __init__(self, phase: str, late: Iterable[str], call: str | None, asked: Sequence[str] = ()) -> None:
        facts: dict[str, Fact] = {"phase": phase, "waitingFor": list[Fact](late)}
        if asked:
            facts["considering"] = list[Fact](asked)
        sentence = "The signature is not there yet; waitingFor names the signers it waits for."
        if call is not None:
            sentence = f"The signature waits for {call} with a key of yours, see waitingFor."
            facts["waitingForCall"] = call
        super().__init__(sentence, **facts)


class OtherTransaction(Refused):
    """This key has announced another transaction for the session; `txid` is the one it announced."""

    reason = "already_exists"

    def __init__(self, txid: bytes) -> None:
        super().__init__(
            "This key has named another transaction for this session, and the others were told of it: see txid. "
            "One session has one transaction; look for it in the chain.",
            txid=txid.hex(),
        )


class Stopping(Refused):
    """The daemon stops and no longer waits for a signature."""

    reason = "shutting_down"

    def __init__(self) -> None:
        super().__init__("The daemon is stopping; try again when it is back.", retryAfterMs=5_000)
