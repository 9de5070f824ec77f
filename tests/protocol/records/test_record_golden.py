"""The golden files: what was written once is what another implementation was built against."""

import json
from typing import Any

import pytest

from musig2.protocol.records.cbor import decode
from musig2.protocol.records.codec import encode_payload
from musig2.protocol.records.envelope import open_verified
from musig2.protocol.records.records import TYPE_OF, RecordType
from musig2.protocol.wire import sync
from musig2.protocol.wire.frame_codec import encode_frame, open_frame, split
from musig2.protocol.wire.frames import Signed
from tests.protocol.make_golden import (
    GOLDEN,
    answers,
    asks,
    frames,
    names_file,
    on_stream,
    record_file,
    shown,
    signer_file,
)
from tests.protocol.records_world import ANNA, BEN, CLEO, every_record

RECORDS = every_record()


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def test_every_type_of_record_has_a_golden_file() -> None:
    assert {TYPE_OF[type(record)] for record in RECORDS.values()} == set(RecordType)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_written_as_in_its_golden_file(name: str) -> None:
    made, kept = record_file(RECORDS[name]), golden(name)
    assert {**made, "envelope": None} == {**kept, "envelope": None}


@pytest.mark.parametrize("name", RECORDS)
def test_the_envelope_of_a_golden_file_opens_and_verifies(name: str) -> None:
    kept = golden(name)
    signed = open_verified(bytes.fromhex(kept["envelope"]), max_bytes=50_000)
    assert signed.record == RECORDS[name]
    assert signed.id.hex() == kept["id"]
    assert encode_payload(signed.record).hex() == kept["payload"]
    assert shown(decode(bytes.fromhex(kept["payload"]))) == kept["fields"]


def test_ids_and_turns_are_those_of_the_golden_file() -> None:
    assert names_file() == golden("names")


def test_the_keys_of_the_golden_files_are_still_the_same() -> None:
    assert golden("signers") == {signer.name: signer_file(signer) for signer in (ANNA, BEN, CLEO)}


@pytest.mark.parametrize("kind", ["env", "have", "complete", "fetch", "answer"])
def test_a_frame_is_read_and_written_as_in_its_golden_file(kind: str) -> None:
    data = bytes.fromhex(golden("frames")[kind])
    frame = open_frame(data, max_bytes=50_000)
    assert encode_frame(frame) == data
    if kind != "fetch":  # holds a signature, which is another one each time
        assert frame == frames()[kind]
    if isinstance(frame, Signed):
        assert open_verified(frame.envelope, max_bytes=50_000) == frame


def test_a_stream_is_cut_as_in_its_golden_file() -> None:
    kept = golden("stream")
    buffer = bytearray.fromhex(kept["stream"])
    assert [frame.hex() for frame in split(buffer, max_bytes=10)] == kept["frames"]


@pytest.mark.parametrize("what", ["question", "answer"])
def test_a_question_stands_in_the_stream_as_in_its_golden_file(what: str) -> None:
    kept = golden("directory_stream")[what]
    (frame,) = split(bytearray.fromhex(kept["stream"]), max_bytes=600_000)
    assert frame == bytes([kept["kind"]]) + kept["number"].to_bytes(4, "big") + bytes.fromhex(kept["payload"])
    assert (
        on_stream(kept["kind"], kept["number"], asks()["peers"] if what == "question" else answers()["taken"]) == kept
    )


def test_the_directory_protocol_speaks_as_in_its_golden_file() -> None:
    kept = golden("directory")
    assert kept["asks"] == {op: sync.encode_ask(ask).hex() for op, ask in asks().items()}
    assert kept["answers"] == {op: sync.encode_answer(answer).hex() for op, answer in answers().items()}
    assert asks() == {op: sync.open_ask(bytes.fromhex(data)) for op, data in kept["asks"].items()}
    assert answers() == {op: sync.open_answer(bytes.fromhex(data)) for op, data in kept["answers"].items()}
