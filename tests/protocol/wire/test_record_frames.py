"""Frames, and how a stream is cut into them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musig2.protocol.errors import BadEncoding, InvalidRecord
from musig2.protocol.records.cbor import encode
from musig2.protocol.wire.frame_codec import (
    MAX_DELEGATION_BYTES,
    delegations_of,
    encode_frame,
    is_fetch,
    open_frame,
    signed_in,
    split,
    with_length,
)
from musig2.protocol.wire.frames import Answer, Complete, Fetch, Frame, Have
from tests.protocol.make_golden import frames
from tests.protocol.record_strategies import damaged
from tests.protocol.records_world import ANNA, advertisement, join, request

FRAMES = frames()
ID = bytes(32)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_frame_is_read_as_it_was_written(frame: Frame) -> None:
    assert open_frame(encode_frame(frame), max_bytes=50_000) == frame


REFUSED: list[Any] = [
    (),
    ("hello",),
    (1,),
    ("env", b""),
    ("env", b"\x80"),
    ("env", None),
    ("env", ANNA.seal(advertisement()).envelope, 1),
    ("have", ID, 1, b"", b""),
    ("have", ID, 0, b"", b"", b""),
    ("have", ID, 17, b"", b"", b""),
    ("have", ID, 1, bytes(14), b"", b""),
    ("have", bytes(31), 1, b"", b"", b""),
    ("complete", ID, ()),
    ("complete", ID, (bytes(63),)),
    ("complete", ID, (bytes(64),) * 101),
    ("fetch", ()),
    ("fetch", (b"",)),
    ("fetch", (ANNA.seal(advertisement()).envelope,) * 17),
    ("fetch", (ANNA.seal(join(ANNA.seal(request()))).envelope,)),
    ("answer", ID, "no"),
    ("answer", ID, None),
]


@pytest.mark.parametrize("frame", REFUSED, ids=lambda value: str(value)[:40])
def test_a_frame_of_the_wrong_form_is_refused(frame: Any) -> None:
    with pytest.raises(BadEncoding):
        open_frame(encode(frame), max_bytes=50_000)


def test_a_frame_that_peers_would_refuse_is_not_written() -> None:
    frames_out_of_bounds: list[Frame] = [
        Have(ID, 0, b"", b"", b""),
        Complete(ID, ()),
        Fetch(()),
        Answer(ID, "perhaps"),
    ]
    for frame in frames_out_of_bounds:
        with pytest.raises(InvalidRecord):
            encode_frame(frame)


def test_everything_signed_inside_a_frame_is_handed_out_to_be_checked() -> None:
    ad, asked = ANNA.seal(advertisement()), ANNA.seal(request())
    assert signed_in(asked) == (asked,)
    assert signed_in(Fetch((ad.envelope,))) == (ad,) == delegations_of(Fetch((ad.envelope,)))
    assert signed_in(Answer(ID, "busy")) == ()


def test_the_delegations_of_a_fetch_are_decoded_once_and_those_that_are_too_large_not_at_all() -> None:
    ad = ANNA.seal(advertisement())
    data = encode_frame(Fetch((ad.envelope, ad.envelope)))
    fetch = open_frame(data, max_bytes=50_000)
    assert isinstance(fetch, Fetch)
    assert is_fetch(data)
    assert not is_fetch(encode_frame(ad))
    assert fetch == Fetch((ad.envelope, ad.envelope))
    assert delegations_of(fetch) is delegations_of(fetch) is signed_in(fetch)
    large = ANNA.seal(advertisement(metadata={"x": (0,) * MAX_DELEGATION_BYTES}))
    with pytest.raises(BadEncoding):
        open_frame(encode(("fetch", (large.envelope,))), max_bytes=50_000)


def test_a_large_frame_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(BadEncoding, match="larger"):
        open_frame(bytes(101), max_bytes=100)


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=6), st.data())
def test_a_stream_is_cut_the_same_wherever_it_is_torn(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(with_length, sent))
    buffer, got = bytearray(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        buffer += stream[:size]
        stream = stream[size:]
        got += split(buffer, max_bytes=30)
    assert got == sent
    assert not buffer


@pytest.mark.parametrize("head", ["00000000", "0000001f", "ffffffff"])
def test_a_frame_that_is_empty_or_too_long_ends_the_stream_before_it_arrives(head: str) -> None:
    with pytest.raises(BadEncoding):
        split(bytearray.fromhex(head), max_bytes=30)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_frame_is_refused_or_written_the_same_again(data: st.DataObject) -> None:
    frame = FRAMES[data.draw(st.sampled_from(sorted(FRAMES)))]
    other = data.draw(damaged(encode_frame(frame)))
    try:
        read = open_frame(other, max_bytes=50_000)
    except BadEncoding:
        return
    assert encode_frame(read) == other
