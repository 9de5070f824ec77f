"""The directory protocol: one question, one answer, each one CBOR array `[op, field, ...]`.

A directory is a log of statements about signers, nodes and notices, numbered by its owner. A statement is a signed
record, and for an advertisement also its directory entry: (record envelope, entry envelope or None). Its id is the id
of the record (32 bytes), its short id the first 8 bytes of that.

A follower that knows a log reads on from its cursor (`Since`, `LogPage`). Strangers compare digests (`Reconcile`): with
`bits` 8 or 12, the bucket of a statement is the first `bits` bits of its id, and the digest of a bucket is the sum of
bytes 8 to 15 of the ids in it, as numbers (most significant byte first), modulo 2^64; an empty bucket is 0. `sums` are
the digests of all 2^bits buckets, in order, 8 bytes each. The answer names the short ids in buckets that differ.
A digest is a hint about what to fetch and proves nothing.

    hello        log b16, head, size, node envelope | null   ->  greeting     log b16, head, size, now_ms
    since        log b16, after, limit                       ->  short-ids    log b16, head, upto, ids
    page         log b16, after, limit                       ->  statements   log b16, head, upto, [statement]
    reconcile    bits, sums                                  ->  differences  [[bucket, ids]], more
    fetch-ids    ids                                         ->  statements
    push         [statement]                                 ->  taken        count
    peers        limit                                       ->  nodes        [envelope]
    (any of them)                                            ->  busy         retry_ms

A statement is written [record envelope, entry envelope | null].
`head` is the number of the newest line of the answering log, `upto` the number up to which the answer tells all: where
to go on. A question about another log than the answering one is answered from its beginning. Envelopes are neither
opened nor checked here; every count and every size has a bound, and no question or answer is larger than 512 KiB.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final, TypeAlias, cast

from musig2.protocol.errors import BadEncoding, InvalidRecord
from musig2.protocol.records import field_rules as rule
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.field_rules import Rule

MAX_MESSAGE_BYTES: Final = 512 * 1024
MAX_ENVELOPE_BYTES: Final = 16_384
MAX_STATEMENTS: Final = 4_096
MAX_IDS: Final = 32_768
MAX_FETCH: Final = 512
MAX_NODES: Final = 256
SHORT_ID_BYTES: Final = 8
DIGEST_BYTES: Final = 8
BITS: Final = (8, 12)

Statement: TypeAlias = "tuple[bytes, bytes | None]"


@dataclass(frozen=True, slots=True)
class Hello:
    """First question on a stream: which log the asker keeps, how far, how large, and its own node record."""

    log: bytes
    head: int
    size: int
    node: bytes | None


@dataclass(frozen=True, slots=True)
class Since:
    """What came into the log after a cursor, as short ids."""

    log: bytes
    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class LogPage:
    """What came into the log after a cursor, as whole statements in the order of the log."""

    log: bytes
    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class Reconcile:
    """The asker's digests of all buckets."""

    bits: int
    sums: bytes


@dataclass(frozen=True, slots=True)
class FetchIds:
    """Up to 512 statements by their short ids, one after the other."""

    ids: bytes


@dataclass(frozen=True, slots=True)
class Push:
    """Statements that are probably new to the peer."""

    items: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Peers:
    """Other nodes that serve the directory."""

    limit: int


@dataclass(frozen=True, slots=True)
class Greeting:
    """The answering log, and the clock of its owner."""

    log: bytes
    head: int
    size: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class ShortIds:
    """Short ids, one after the other, in the order of the log; go on after `upto`, until it is `head`."""

    log: bytes
    head: int
    upto: int
    ids: bytes


@dataclass(frozen=True, slots=True)
class Statements:
    """Whole statements; go on after `upto`. To `FetchIds`: those that are there, in any order."""

    log: bytes
    head: int
    upto: int
    items: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """The answerer's short ids in buckets that differ, buckets rising; `more` when not all of them fit."""

    items: tuple[tuple[int, bytes], ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """How many of the pushed statements the answerer has now; the others it refused."""

    count: int


@dataclass(frozen=True, slots=True)
class Nodes:
    """Node records, as envelopes."""

    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Busy:
    """Not now; ask again after `retry_ms`."""

    retry_ms: int


Ask: TypeAlias = Hello | Since | LogPage | Reconcile | FetchIds | Push | Peers
Answer: TypeAlias = Greeting | ShortIds | Statements | Differences | Taken | Nodes | Busy


def _short_ids(most: int) -> Rule:
    most_bytes = most * SHORT_ID_BYTES
    return lambda value: type(value) is bytes and len(value) <= most_bytes and len(value) % SHORT_ID_BYTES == 0


def _envelope(value: Any) -> bool:
    return type(value) is bytes and 0 < len(value) <= MAX_ENVELOPE_BYTES


def _statement(value: Any) -> bool:
    return (
        type(value) is tuple and len(value) == 2 and _envelope(value[0]) and (value[1] is None or _envelope(value[1]))
    )


def _difference(value: Any) -> bool:
    return type(value) is tuple and len(value) == 2 and _BUCKET(value[0]) and _SHORT_IDS(value[1])


def _differences(value: Any) -> bool:
    """At most one row for each bucket, in order."""
    if not _DIFFERENCES(value):
        return False
    return all(before[0] < row[0] for before, row in pairwise(value))


def _sums(value: Any) -> bool:
    return type(value) is bytes and len(value) in [DIGEST_BYTES << bits for bits in BITS]


_BUCKET: Final = rule.bounded(0, (1 << max(BITS)) - 1)
_SHORT_IDS: Final = _short_ids(MAX_IDS)
_DIFFERENCES: Final = rule.rows(_difference, 0, 1 << max(BITS))
_LIMIT: Final = rule.bounded(1, MAX_IDS)
_ITEMS: Final = rule.rows(_statement, 0, MAX_STATEMENTS)
_CURSOR: Final = (rule.b16, rule.uint, _LIMIT)
_FOUND: Final = (rule.b16, rule.uint, rule.uint)
_BOOL: Final[Rule] = lambda value: type(value) is bool  # noqa: E731 - a rule among rules

ASKS: Final[dict[str, tuple[type, tuple[Rule, ...]]]] = {
    "hello": (Hello, (rule.b16, rule.uint, rule.uint, rule.optional(_envelope))),
    "since": (Since, _CURSOR),
    "page": (LogPage, _CURSOR),
    "reconcile": (Reconcile, (lambda value: type(value) is int and value in BITS, _sums)),
    "fetch-ids": (FetchIds, (_short_ids(MAX_FETCH),)),
    "push": (Push, (_ITEMS,)),
    "peers": (Peers, (_LIMIT,)),
}
ANSWERS: Final[dict[str, tuple[type, tuple[Rule, ...]]]] = {
    "greeting": (Greeting, (rule.b16, rule.uint, rule.uint, rule.uint)),
    "short-ids": (ShortIds, (*_FOUND, _SHORT_IDS)),
    "statements": (Statements, (*_FOUND, _ITEMS)),
    "differences": (Differences, (_differences, _BOOL)),
    "taken": (Taken, (rule.bounded(0, MAX_STATEMENTS),)),
    "nodes": (Nodes, (rule.rows(_envelope, 0, MAX_NODES),)),
    "busy": (Busy, (rule.duration_ms,)),
}
_Table: TypeAlias = "dict[str, tuple[type, tuple[Rule, ...]]]"
_OPS: Final = {cls: op for table in (ASKS, ANSWERS) for op, (cls, _) in table.items()}


def encode_ask(ask: Ask) -> bytes:
    """The bytes of a question; InvalidRecord if a peer would refuse it."""
    return _encode(ASKS, ask)


def open_ask(data: bytes, *, max_bytes: int = MAX_MESSAGE_BYTES) -> Ask:
    """A question from a peer, decoded strictly; BadEncoding for anything else."""
    return cast(Ask, _open(ASKS, data, max_bytes))


def encode_answer(answer: Answer) -> bytes:
    """The bytes of an answer; InvalidRecord if a peer would refuse it."""
    return _encode(ANSWERS, answer)


def open_answer(data: bytes, *, max_bytes: int = MAX_MESSAGE_BYTES) -> Answer:
    """An answer from a peer, decoded strictly; BadEncoding for anything else."""
    return cast(Answer, _open(ANSWERS, data, max_bytes))


def _encode(table: _Table, message: Any) -> bytes:
    op = _OPS[type(message)]
    values = tuple(getattr(message, field.name) for field in fields(message))
    problem = _problem(table[op], values)
    if problem is not None:
        raise InvalidRecord(f"{op}: {problem}")
    data = encode((op, *values))
    if len(data) > MAX_MESSAGE_BYTES:
        raise InvalidRecord(f"{op}: larger than 512 KiB, send less at once")
    return data


def _open(table: _Table, data: bytes, max_bytes: int) -> Any:
    if len(data) > min(max_bytes, MAX_MESSAGE_BYTES):
        raise BadEncoding("larger than is allowed here")
    message = decode(data)
    if type(message) is not tuple or not message or type(message[0]) is not str or message[0] not in table:
        raise BadEncoding("no question or answer of the directory protocol")
    op, *values = cast(tuple[Any, ...], message)
    problem = _problem(table[op], tuple(values))
    if problem is not None:
        raise BadEncoding(f"{op}: {problem}")
    return table[op][0](*values)


def _problem(shape: tuple[type, tuple[Rule, ...]], values: tuple[Any, ...]) -> str | None:
    cls, rules = shape
    if len(values) != len(rules):
        return "too many or too few fields"
    for field, check, value in zip(fields(cls), rules, values, strict=True):
        if not check(value):
            return f"{field.name} is not what it must be"
    if cls is Reconcile and len(values[1]) != DIGEST_BYTES << values[0]:
        return "sums must have one digest for each bucket"
    return None
