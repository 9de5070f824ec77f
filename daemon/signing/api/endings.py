"""What a caller is told of a request that has ended: by a call that is too late, and instead of a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from musig2.protocol.interface.effects import Outcome


@dataclass(frozen=True, slots=True)
class EndingSentences:
    """The API's reason for one outcome, with its sentences."""

    reason: str
    too_late: str  # to whoever would join, decline or cancel
    no_signature: str = ""  # to whoever asks for the signature; of a complete request that is answered


ENDINGS: Mapping[Outcome, EndingSentences] = {
    Outcome.DECLINED: EndingSentences(
        "declined",
        "A signer declined this request; announce another one without that signer.",
        "A signer declined the request.",
    ),
    Outcome.CANCELLED: EndingSentences(
        "cancelled",
        "Its creator cancelled this request; wait for another one.",
        "The creator cancelled the request.",
    ),
    Outcome.EXPIRED: EndingSentences(
        "expired",
        "This request ran out of time; announce it again.",
        "The request ran out of time before it was signed.",
    ),
    Outcome.FAILED: EndingSentences(
        "aborted",
        "This request has ended without a signature; getSession says why. Announce it again.",
        "The request ended without a signature.",
    ),
    Outcome.COMPLETE: EndingSentences(
        "wrong_phase",
        "This request is signed already; getFinalSignature has the signature.",
    ),
}
