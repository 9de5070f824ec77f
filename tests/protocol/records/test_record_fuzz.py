"""Damaged bytes by the thousand: whatever a peer sends, a decoder answers with a value or with BadEncoding."""

from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

import pytest

from musig2.protocol.errors import BadEncoding
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.codec import encode_payload
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.wire import sync
from musig2.protocol.wire.frame_codec import encode_frame, open_frame
from tests.protocol.make_golden import answers, asks, frames
from tests.protocol.records_world import ANNA, every_record

Open: TypeAlias = Callable[[bytes], Any]
Write: TypeAlias = Callable[[Any], bytes]


def open_record(data: bytes) -> Any:
    return open_envelope(data, max_bytes=50_000)


def write_record(signed: Any) -> bytes:
    """The envelope, put together again from what was decoded of it."""
    fields: Any = decode(signed.envelope)
    return encode((*fields[:2], encode_payload(signed.record), *fields[3:]))


SEALED = [ANNA.seal(record).envelope for record in every_record().values()]
DECODERS: dict[str, tuple[Open, Write, list[bytes]]] = {
    "cbor": (decode, encode, SEALED),
    "envelope": (open_record, write_record, SEALED),
    "frame": (
        lambda data: open_frame(data, max_bytes=50_000),
        encode_frame,
        [encode_frame(frame) for frame in frames().values()],
    ),
    "ask": (sync.open_ask, sync.encode_ask, [sync.encode_ask(ask) for ask in asks().values()]),
    "answer": (sync.open_answer, sync.encode_answer, [sync.encode_answer(answer) for answer in answers().values()]),
}
HEADS = bytes.fromhex("00171819001a1b1f201c40585f60787b7f8081989b9fa0a1b8bbbfc0d9f4f5f6f7f8f9fafbff")


def damaged(dice: Random, data: bytes) -> bytes:
    """A few bytes flipped, replaced by heads of CBOR, cut out, or doubled; or two records crossed."""
    buffer = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(buffer) + 1)
        match dice.randrange(5):
            case 0:
                buffer[at : at + 1] = bytes(byte ^ (1 << dice.randrange(8)) for byte in buffer[at : at + 1])
            case 1:
                buffer[at : at + 1] = bytes([dice.choice(HEADS)])
            case 2:
                del buffer[at : at + dice.randint(1, 9)]
            case 3:
                buffer[at:at] = buffer[at : at + dice.randint(1, 40)]
            case _:
                buffer[at:at] = dice.randbytes(dice.randint(1, 9))
    return bytes(buffer)


def fuzz(name: str, rounds: int, seed: int) -> int:
    """How many of the damaged inputs were still accepted; each of those must be written the same again."""
    read, write, samples = DECODERS[name]
    dice, accepted = Random(seed), 0
    for _ in range(rounds):
        data = damaged(dice, dice.choice(samples))
        try:
            value = read(data)
        except BadEncoding:
            continue
        assert write(value) == data
        accepted += 1
    return accepted


@pytest.mark.parametrize("name", DECODERS)
def test_damaged_bytes_are_refused_or_mean_exactly_one_thing(name: str) -> None:
    accepted = fuzz(name, rounds=4_000, seed=1)
    assert 0 < accepted < 4_000


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
def test_many_more_damaged_bytes_are_refused_or_mean_exactly_one_thing(name: str) -> None:
    assert fuzz(name, rounds=200_000, seed=2) < 200_000
