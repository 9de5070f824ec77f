"""Bounds and defaults of signing requests. The composition root fills them from the settings `limits.*`."""

from __future__ import annotations

from dataclasses import dataclass, field

from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.request.meeting.topology import MESH

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class SigningLimits:
    """Bounds on what one request, one peer and the whole daemon may cost. Times in milliseconds."""

    wire: RecordLimits = field(default_factory=RecordLimits)
    default_ttl_ms: int = DAY_MS
    round_ms: int = 10 * MINUTE_MS
    broadcast_ms: int = 5 * MINUTE_MS
    max_attempts: int = 5
    unsolicited_per_peer: int = 1_000  # open requests of one peer that no own key has joined
    unsolicited_total: int = 10_000
    ended_unsolicited: int = 2_000  # of those that have ended the newest are kept
    unknown_per_peer: int = 8  # messages about unknown requests
    unknown_peers: int = 256
    unknown_ms: int = MINUTE_MS
    checks_per_party: int = 32  # requests of many keys that wait to be checked
    checks: int = 256
    drain: int = 24  # what is taken from the inbox in one turn
    inbox_per_peer: int = 2_000  # per peer, so that a flood only drops its own frames
    inbox: int = 20_000  # further frames from peers are dropped; `have` brings them again
    mesh: int = MESH  # up to so many signers, everybody speaks to everybody; above they meet at hubs
    spare_pause_ms: int = 1_000  # before hubs other than the creator are dialled: most sessions do not need them
    dials: int = 16  # in flight at once
    first_pause_ms: int = 1_000
    longest_pause_ms: int = MINUTE_MS
    fetched_requests: int = 200  # sent at most in answer to one Fetch
    keep_finished_ms: int = 30 * DAY_MS
    keep_joins_ms: int = 7 * DAY_MS  # after expiry; stored own joins prevent a second join
    idle_ms: int = MINUTE_MS  # an idle machine leaves memory after this
    signed_ms: int = 3_000  # the same of a request that is signed: what peers still ask is answered from its row
