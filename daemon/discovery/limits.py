"""Every bound of discovery in one place, with its default; times in milliseconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from musig2.protocol.records.checks import RecordLimits

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TOMBSTONE_MS = 7 * DAY_MS + 10 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class DiscoveryLimits:
    """What one daemon accepts, keeps, serves and spends."""

    checks: RecordLimits = field(default_factory=RecordLimits)  # sizes, skew and lifetimes that every record is held to
    interval_ms: int = 60_000  # between two advertisements of one key
    ttl_ms: int = DAY_MS
    live_withdrawals: int = 10  # of one key per interval, counted apart
    live_renewals: int = 3  # of one key per interval over gossip and push; further ones come by synchronisation
    advertisements: int = 250_000  # in all; above that, as for nodes and notices, the fullest groups are evicted
    advertisements_per_peer: int = 100
    statements_per_peer: int = 300  # its withdrawn keys included
    advertisements_per_net: int = 1_000  # per /24 or /48
    unknown_withdrawals: int = 20_000  # tombstones of keys never seen here
    private_ranges: bool = True  # private addresses have no range; False: records without a public one share a range
    nodes: int = 10_000
    nodes_per_net: int = 50
    notices: int = 50_000
    notices_per_peer: int = 200
    grace_ms: int = 10 * MINUTE_MS  # how long an expired line stays in the log
    half_ms: int = 10 * MINUTE_MS  # how long an entry waits for its advertisement, and the other way round
    halves: int = 10_000
    halves_per_peer: int = 100
    page_bytes: int = 448 * 1024
    sync_rounds: int = 4_000
    sync_bytes: int = 512 * 1024 * 1024
    sync_ms: int = 10 * MINUTE_MS
    ask_ms: int = 10_000
    idle_ms: int = 15_000  # a conversation ends if fewer than `idle_statements` were stored in this time
    idle_statements: int = 20
    sync_waste: int = 1_000  # useless statements that one synchronisation tolerates
    sync_peers: int = 3
    sync_every_ms: int = 60_000
    pushed: int = 5_000  # statements that one peer may push at once; refilled like the next
    served_bytes: int = 256 * 1024 * 1024  # sent to one peer at once; refilled at a hundredth per second
    push_peers: int = 64
    peer_left_ms: int = 30_000  # a peer that returns sooner has not left
    pinned_keys: frozenset[bytes] = frozenset()  # exempt from quotas, and never evicted
    settle_ms: int = 10_000  # after a start, before what expired in the meantime is told
