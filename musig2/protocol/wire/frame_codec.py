"""Frames of the session protocol, as bytes: one CBOR array `[kind, ...]` between two length prefixes of a stream.

["env", envelope]                                     a signed record
["have", request, attempt, joins, nonces, partials]   bitmaps: bit i of byte i // 8, lowest first, is signer i
["complete", request, [signature, ...]]
["fetch", [envelope, ...]]                            advertisements that delegate a key to the asking peer
["answer", request, code]
"""

from __future__ import annotations

from typing import Any, Final, cast

from musig2.protocol.errors import BadEncoding, InvalidRecord
from musig2.protocol.records import field_rules as rule
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.field_rules import Rule
from musig2.protocol.records.records import Advertisement, Open, Record
from musig2.protocol.wire.frames import Answer, Complete, Fetch, Frame, Have, Signed

MAX_DELEGATIONS: Final = 16
MAX_DELEGATION_BYTES: Final = 10_000  # as of any advertisement
FETCH_HEAD: Final = encode("fetch")
ENVELOPE_HEAD: Final = b"\x82" + encode("env")  # of nearly all frames: what follows is the envelope as a byte string
PREFIX_BYTES: Final = 4


def _bytes_up_to(most: int) -> Rule:
    return lambda value: type(value) is bytes and len(value) <= most


_BITMAP: Final = _bytes_up_to(-(-rule.MAX_KEYS // 8))
RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "env": (lambda value: type(value) is bytes,),
    "have": (rule.b32, rule.bounded(1, rule.MAX_ATTEMPTS), _BITMAP, _BITMAP, _BITMAP),
    "complete": (rule.b32, rule.rows(rule.b64, 1, rule.MAX_ITEMS)),
    "fetch": (rule.rows(_bytes_up_to(MAX_DELEGATION_BYTES), 1, MAX_DELEGATIONS),),
    "answer": (rule.b32, rule.one_of("unknown_request", "not_yet", "busy")),
}


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame, without length prefix; InvalidRecord if a peer would refuse it."""
    if isinstance(frame, Signed):
        return ENVELOPE_HEAD + encode(frame.envelope)
    kind, *values = _wire(frame)
    if not _fits(kind, tuple(values)):
        raise InvalidRecord(f"a frame of kind {kind} with a value out of bounds")
    return encode((kind, *values))


def _wire(frame: Have | Complete | Fetch | Answer) -> tuple[Any, ...]:
    match frame:
        case Have():
            return "have", frame.request, frame.attempt, frame.joins, frame.nonces, frame.partials
        case Complete():
            return "complete", frame.request, frame.signatures
        case Fetch():
            return "fetch", frame.delegations
        case Answer():
            return "answer", frame.request, frame.code


def _fits(kind: str, values: tuple[Open, ...]) -> bool:
    rules = RULES.get(kind)
    return rules is not None and len(rules) == len(values) and all(map(_keeps, rules, values))


def _keeps(check: Rule, value: Open) -> bool:
    return check(value)


def open_frame(data: bytes, *, max_bytes: int) -> Frame:
    """Decode a frame strictly; BadEncoding. Envelopes inside are opened, but no signature is checked: `signed_in`."""
    if len(data) > max_bytes:
        raise BadEncoding("larger than is allowed here")
    if data.startswith(ENVELOPE_HEAD):
        return open_envelope(_bytes_in(data[len(ENVELOPE_HEAD) :]), max_bytes=max_bytes)
    frame = decode(data)
    if type(frame) is not tuple or not frame or type(frame[0]) is not str or not _fits(frame[0], frame[1:]):
        raise BadEncoding(_MISFIT)
    kind, *values = cast(tuple[Any, ...], frame)
    match kind:
        case "have":
            return Have(*values)
        case "complete":
            return Complete(*values)
        case "answer":
            return Answer(*values)
    return Fetch(values[0], delegations_of(Fetch(values[0])))


def _bytes_in(data: bytes) -> bytes:
    value = decode(data)
    if type(value) is not bytes:
        raise BadEncoding(_MISFIT)
    return value


_MISFIT: Final = "a frame of an unknown kind, or with a value out of bounds"


def is_fetch(data: bytes) -> bool:
    """Whether an encoded frame is a fetch, which costs more to decode than any other of its size."""
    return data.startswith(FETCH_HEAD, 1)


def delegations_of(fetch: Fetch) -> tuple[Signed[Advertisement], ...]:
    """The advertisements that a fetch shows, opened, signatures not checked; BadEncoding if one is something else."""
    if fetch.opened:
        return fetch.opened
    opened = [open_envelope(envelope, max_bytes=MAX_DELEGATION_BYTES) for envelope in fetch.delegations]
    if not all(isinstance(signed.record, Advertisement) for signed in opened):
        raise BadEncoding("a fetch that shows something else than advertisements")
    return cast(tuple[Signed[Advertisement], ...], tuple(opened))


def signed_in(frame: Frame) -> tuple[Signed[Record], ...]:
    """Everything in a frame whose signatures have to be checked before the frame is acted on."""
    match frame:
        case Signed():
            return (frame,)
        case Fetch():
            return delegations_of(frame)
        case _:
            return ()


def with_length(data: bytes) -> bytes:
    """A frame as it stands on a stream: u32be length, then the bytes."""
    return len(data).to_bytes(PREFIX_BYTES, "big") + data


def split(buffer: bytearray, *, max_bytes: int) -> list[bytes]:
    """Take all whole frames from the front of what a stream brought; what is left in `buffer` is the begin of the next.

    BadEncoding for a length of 0 or above `max_bytes`: the stream is of no more use then.
    """
    frames = []
    start = 0
    while len(buffer) - start >= PREFIX_BYTES:
        size = int.from_bytes(buffer[start : start + PREFIX_BYTES], "big")
        if not 0 < size <= max_bytes:
            raise BadEncoding("a frame that is empty, or longer than is allowed here")
        end = start + PREFIX_BYTES + size
        if end > len(buffer):
            break
        frames.append(bytes(buffer[start + PREFIX_BYTES : end]))
        start = end
    del buffer[:start]
    return frames
