"""What may happen to a signing request: the inputs of the session machine. Times come with each call as `Now`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from musig2.protocol.interface.effects import Emit, Save
from musig2.protocol.made_quickly import made_quickly
from musig2.protocol.records.records import Cancel, Considering, Decline, Join, Message
from musig2.protocol.wire.frames import Have, Signed


@made_quickly
@dataclass(frozen=True, slots=True)
class Now:
    """Two readings of the clock: `wall_ms` (may jump) for expiry, `mono_ms` (never jumps) for rounds."""

    wall_ms: int
    mono_ms: int


@made_quickly
@dataclass(frozen=True, slots=True)
class Approved:
    """The owner joins with this own key (as creator: at once). If the last attempt failed, this starts the next one.

    `auto`: whether the rounds start automatically. None: they do, but an existing join keeps its choice.
    """

    key: bytes
    auto: bool | None


@made_quickly
@dataclass(frozen=True, slots=True)
class JoinReady:
    """Answer to `NeedJoin`."""

    join: Signed[Join]


@made_quickly
@dataclass(frozen=True, slots=True)
class NoncesReady:
    """Answer to `NeedNonces`: one pubnonce (66 bytes) per item; the secret nonces stay with the signer port."""

    session: bytes
    key: bytes
    pubnonces: tuple[bytes, ...]


@made_quickly
@dataclass(frozen=True, slots=True)
class PartialsReady:
    """Answer to `NeedPartials`: one partial signature (32 bytes) per item. The secret nonces are consumed.

    `verified`: by `Scheme.sign`, in this process. Others are verified before they are believed.
    """

    session: bytes
    key: bytes
    psigs: tuple[bytes, ...]
    verified: bool = False


@made_quickly
@dataclass(frozen=True, slots=True)
class SignerRefused:
    """The signer port cannot answer: `reason` is a session reason (`locked`, `nonce_lost`, ...)."""

    key: bytes
    attempt: int
    reason: str


@made_quickly
@dataclass(frozen=True, slots=True)
class Received:
    """A verified record about this request, from a peer (`peer`, binary id) or from this daemon itself (None)."""

    signed: Signed[Join] | Signed[Message] | Signed[Decline] | Signed[Cancel] | Signed[Considering]
    peer: bytes | None


@made_quickly
@dataclass(frozen=True, slots=True)
class ReceivedHave:
    """A peer's bitmaps: send it what it lacks."""

    have: Have
    peer: bytes


@made_quickly
@dataclass(frozen=True, slots=True)
class ReceivedComplete:
    """A peer shows final signatures; they are verified here."""

    signatures: tuple[bytes, ...]
    peer: bytes | None


@made_quickly
@dataclass(frozen=True, slots=True)
class StartRound1:
    """The wallet wants nonces made; remembered if it is too early. `key` None: every own key of the session."""

    session: bytes
    key: bytes | None


@made_quickly
@dataclass(frozen=True, slots=True)
class StartRound2:
    """The wallet wants partial signatures made; remembered if it is too early."""

    session: bytes
    key: bytes | None


@made_quickly
@dataclass(frozen=True, slots=True)
class OwnerAbort:
    """The owner ends the request for this own key (None: all own keys); `reason` `aborted_by_owner` or `locked`."""

    key: bytes | None
    reason: str
    text: str = ""


@made_quickly
@dataclass(frozen=True, slots=True)
class PeerConnected:
    """A participant is connected (again): exchange `have`. `peer` holds a delegation of a required key."""

    peer: bytes


@made_quickly
@dataclass(frozen=True, slots=True)
class PeerDisconnected:
    """The last connection to a participant's peer is gone."""

    peer: bytes


@made_quickly
@dataclass(frozen=True, slots=True)
class NotifyBroadcast:
    """The wallet says that the transaction of this completed session was broadcast: ends failover for all signers."""

    session: bytes
    txid: bytes  # 32 bytes
    key: bytes | None = None  # the own key that speaks; None: any own key of the session, best one whose turn it is


@made_quickly
@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed: check deadlines and `have` timers."""


@made_quickly
@dataclass(frozen=True, slots=True)
class Restarted:
    """The daemon came up and this machine was rebuilt from the store."""


@made_quickly
@dataclass(frozen=True, slots=True)
class SaveFailed:
    """The commit that held the effects of the last inputs failed: nothing of them was sent.

    `lost` are the saves of that commit that belong to this request. If it is empty, everything that this machine asked
    to be saved since it was made or restored counts as doubtful, so name them if possible. `untold` are the
    events of that commit.
    """

    lost: tuple[Save, ...] = ()
    untold: tuple[Emit, ...] = ()


Input: TypeAlias = (
    Approved
    | JoinReady
    | NoncesReady
    | PartialsReady
    | SignerRefused
    | Received
    | ReceivedHave
    | ReceivedComplete
    | StartRound1
    | StartRound2
    | OwnerAbort
    | PeerConnected
    | PeerDisconnected
    | NotifyBroadcast
    | Tick
    | Restarted
    | SaveFailed
)
