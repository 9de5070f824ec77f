"""The messages of the directory protocol, and their bounds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musig2.protocol.errors import BadEncoding, InvalidRecord
from musig2.protocol.records.cbor import encode
from musig2.protocol.wire import sync
from tests.protocol.make_golden import answers, asks
from tests.protocol.record_strategies import damaged

LOG = bytes(16)
ASKS, ANSWERS = asks(), answers()


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_question_is_read_as_it_was_written(ask: sync.Ask) -> None:
    assert sync.open_ask(sync.encode_ask(ask)) == ask


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read_as_it_was_written(answer: sync.Answer) -> None:
    assert sync.open_answer(sync.encode_answer(answer)) == answer


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_no_question(answer: sync.Answer) -> None:
    with pytest.raises(BadEncoding):
        sync.open_ask(sync.encode_answer(answer))


REFUSED: list[Any] = [
    0,
    (),
    {},
    (1,),
    ("hello",),
    ("hello", LOG, 0, 0),
    ("hello", LOG, 0, 0, None, None),
    ("hello", LOG, 0, 0, b""),
    ("hello", bytes(15), 0, 0, None),
    ("since", LOG, 0, 0),
    ("since", LOG, 0, 32_769),
    ("page", LOG, None, 1),
    ("reconcile", 8, bytes(2_047)),
    ("reconcile", 8, bytes(32_768)),
    ("reconcile", 12, bytes(2_048)),
    ("reconcile", 16, bytes(1 << 19)),
    ("reconcile", True, bytes(2_048)),
    ("fetch-ids", bytes(7)),
    ("fetch-ids", bytes(8 * 513)),
    ("push", ((b"record",),)),
    ("push", ((b"", None),)),
    ("push", ((bytes(16_385), None),)),
    ("push", ((b"x", b""),)),
    ("push", ((b"x", None),) * 4_097),
    ("peers", 0),
    ("statements", LOG, 0, 0, ()),
]


@pytest.mark.parametrize("message", REFUSED, ids=lambda value: str(value)[:40])
def test_a_question_out_of_bounds_is_refused(message: Any) -> None:
    with pytest.raises(BadEncoding):
        sync.open_ask(encode(message))


REFUSED_ANSWERS: list[Any] = [
    ("greeting", LOG, 0, 0),
    ("short-ids", LOG, 0, 0, bytes(9)),
    ("short-ids", LOG, 0, 0, bytes(8 * 32_769)),
    ("statements", LOG, 0, 0, ((b"x", None),) * 4_097),
    ("differences", ((1, b""), (1, b"")), False),
    ("differences", ((2, b""), (1, b"")), False),
    ("differences", ((4_096, b""),), False),
    ("differences", (), 0),
    ("differences", ((0, b"", b""),), True),
    ("taken", 4_097),
    ("nodes", (b"x",) * 257),
    ("busy", 0),
    ("busy", 1 << 40),
]


@pytest.mark.parametrize("message", REFUSED_ANSWERS, ids=lambda value: str(value)[:40])
def test_an_answer_out_of_bounds_is_refused(message: Any) -> None:
    with pytest.raises(BadEncoding):
        sync.open_answer(encode(message))


def test_half_a_megabyte_is_the_most_that_is_written_or_read() -> None:
    large = tuple((bytes(16_000), None) for _ in range(33))
    with pytest.raises(InvalidRecord, match="512 KiB"):
        sync.encode_ask(sync.Push(large))
    with pytest.raises(BadEncoding, match="larger"):
        sync.open_ask(encode(("push", large)), max_bytes=1 << 30)


def test_a_value_that_peers_refuse_is_not_written() -> None:
    with pytest.raises(InvalidRecord, match="sums"):
        sync.encode_ask(sync.Reconcile(8, bytes(8)))
    with pytest.raises(InvalidRecord, match="limit"):
        sync.encode_ask(sync.Since(LOG, 0, 0))


@settings(max_examples=200)
@given(st.data())
def test_damage_is_refused_or_written_the_same_again(data: st.DataObject) -> None:
    ask = data.draw(damaged(sync.encode_ask(ASKS[data.draw(st.sampled_from(sorted(ASKS)))])))
    answer = data.draw(damaged(sync.encode_answer(ANSWERS[data.draw(st.sampled_from(sorted(ANSWERS)))])))
    for data_read, read, write in (
        (ask, sync.open_ask, sync.encode_ask),
        (answer, sync.open_answer, sync.encode_answer),
    ):
        try:
            message: Any = read(data_read)
        except BadEncoding:
            continue
        assert write(message) == data_read
