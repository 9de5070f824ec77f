"""What a piece of work for a peer costs, and how much of it a peer and an address range may ask for.

Prices are microseconds of one core, measured by `make bench-prices` and rounded up; docs/security.md shows these
tables, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from p2p.ports import Standing

MILLISECOND: Final = 1_000.0
SECOND: Final = 1_000_000.0


class Work(Enum):
    """Kinds of work, in the words of the table."""

    __hash__ = object.__hash__  # that of Enum is Python, and each frame is charged several times

    READ = "a read of a connection: waking up for it, a call of the system"
    SEALED = "an encrypted message of a connection; a frame of a WebSocket is two"
    YAMUX_FRAME = "a frame of the multiplexer"
    KIB = "each KiB of a connection, a frame or a message"
    STREAM = "a stream that a peer opens"
    HANDSHAKE = "the handshake of a connection, and what every new peer is asked"
    FRAME = "a frame of the session protocol, handed over and acted on"
    SIGNATURE = "a signature or countersignature that is checked"
    KEY = "a key of a request, for each set of tweaks"
    REQUEST = "a request that is stored and told"
    ITEM = "an item of it, held against the transaction that is shown"
    ROW = "a join, message, considering or ending that is stored"
    FETCH = "a fetch, for each delegation"
    QUESTION = "a question to the directory"
    QUESTION_KIB = "each KiB of a question: ids and sums to look up, statements to check"
    SERVED_KIB = "each KiB of an answer of the directory"
    BUCKET = "a bucket of the directory that differs"
    GOSSIP = "a message on a topic"
    CONTROL = "a control message of GossipSub, or a subscription: for each id or entry in it"
    DHT = "a message of the DHT"
    CIRCUIT = "a reservation or a circuit that a relay is asked for"
    RELAYED_KIB = "each KiB that is relayed"
    DIAL = "a dial that a notice causes"
    REFUSED = "a refusal on top: a request that hears `busy`, a frame about an unknown request"


PRICES_US: Final[dict[Work, float]] = {
    Work.READ: 50,
    Work.SEALED: 5,
    Work.YAMUX_FRAME: 5,
    Work.KIB: 5,
    Work.STREAM: 1_500,
    Work.HANDSHAKE: 12_000,
    Work.FRAME: 50,
    Work.SIGNATURE: 60,
    Work.KEY: 40,
    Work.REQUEST: 600,
    Work.ITEM: 100,
    Work.ROW: 300,
    Work.FETCH: 50,
    Work.QUESTION: 900,
    Work.QUESTION_KIB: 500,
    Work.SERVED_KIB: 15,
    Work.BUCKET: 8,
    Work.GOSSIP: 1_300,
    Work.CONTROL: 2,
    Work.DHT: 1_700,
    Work.CIRCUIT: 3_000,
    Work.RELAYED_KIB: 10,
    Work.DIAL: 10_000,
    Work.REFUSED: 1_000,
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """Of one account: microseconds of a core per second, and how many at once."""

    per_second: float
    at_once: float


ALLOWANCES: Final[dict[Standing, Allowance]] = {
    Standing.KNOWN: Allowance(2 * SECOND, 4 * SECOND),
    Standing.ESTABLISHED: Allowance(100 * MILLISECOND, 500 * MILLISECOND),
    Standing.STRANGER: Allowance(50 * MILLISECOND, 40 * MILLISECOND),
}
BESIDE: Final = Allowance(150 * MILLISECOND, 10 * MILLISECOND)  # beside a session, of all that are not known
WELCOME: Final = Allowance(200 * MILLISECOND, 1 * SECOND)  # of which new strangers get what they have at once
LEAST_AT_ONCE: Final = 20 * MILLISECOND  # of a new stranger once that is spent: its streams and a request fit in
RANGE: Final = Allowance(100 * MILLISECOND, 80 * MILLISECOND)  # of all in one address range that are not known
DOOR: Final = Allowance(100 * MILLISECOND, 500 * MILLISECOND)  # handshakes of all that connect
DOOR_BESIDE: Final = 60 * MILLISECOND  # of them at once, while a session of this daemon is under way
TOGETHER: Final = {  # per second, of all of that standing, shared equally by those who owe
    Standing.ESTABLISHED: 200 * MILLISECOND,
    Standing.STRANGER: 100 * MILLISECOND,
}
IDLE_FACTOR: Final = 5  # so much more per second while no session of this daemon is under way
BAN_AT: Final = 5 * SECOND  # of refusals, of which half is forgotten within an hour
