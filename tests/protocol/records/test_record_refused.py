"""What the vectors say must be refused is refused here, and for the reason that they give."""

from __future__ import annotations

from typing import Any

import pytest

from musig2.protocol.errors import BadEncoding, BadSignature
from musig2.protocol.records.cbor import decode
from musig2.protocol.records.checks import RecordLimits, check_record
from musig2.protocol.records.envelope import check_signatures, open_envelope, open_verified
from musig2.protocol.records.records import Request
from musig2.protocol.records.requests import bounds_problem, request_problem
from musig2.protocol.vectors import vectors
from musig2.protocol.wire.frame_codec import open_frame, signed_in, split
from musig2.protocol.wire.sync import open_answer, open_ask
from tests.protocol.make_refused import ENCODING, READ, SIGNATURE, VALUES, refused_file

FILE = vectors()["refused"]
CASES: list[dict[str, str]] = FILE["cases"]
LARGEST = 1_048_576
LIMITS = RecordLimits()


def record(data: bytes) -> str | None:
    """The four checks in their order: what costs nothing first, so a late and forged record is late."""
    signed: Any = open_envelope(data, max_bytes=LARGEST)
    late = check_record(len(data), signed.record, FILE["now"], LIMITS, live=True)
    return late or (None if check_signatures(signed) else SIGNATURE)


def request(data: bytes) -> str | None:
    signed: Any = open_verified(data, max_bytes=LARGEST)
    assert isinstance(signed.record, Request)
    return bounds_problem(signed, FILE["now"], LIMITS) or request_problem(signed.record)


def frame(data: bytes) -> str | None:
    return None if all(map(check_signatures, signed_in(open_frame(data, max_bytes=LARGEST)))) else SIGNATURE


DOORS: dict[str, Any] = {
    "cbor": decode,
    "record": record,
    "request": request,
    "frame": frame,
    "stream": lambda data: split(bytearray(data), max_bytes=LARGEST),
    "question": open_ask,
    "answer": open_answer,
}


def verdict(what: str, data: bytes) -> Any:
    """The reason of the refusal; anything else is what was made of the bytes."""
    try:
        return DOORS[what](data)
    except BadEncoding:
        return ENCODING
    except BadSignature:
        return SIGNATURE


@pytest.mark.parametrize("case", CASES, ids=[f"{case['what']}: {case['wrong']}" for case in CASES])
def test_a_refused_vector_is_refused_for_its_reason(case: dict[str, str]) -> None:
    assert verdict(case["what"], bytes.fromhex(case["bytes"])) == case["reason"]


def test_the_refused_vectors_are_those_that_are_made_today() -> None:
    kept = [(case["what"], case["wrong"], case["reason"]) for case in CASES]
    assert kept == [(case["what"], case["wrong"], case["reason"]) for case in refused_file()["cases"]]
    assert {what for what, _, _ in kept} == {"cbor", *READ} == DOORS.keys()
    assert len(kept) > len(VALUES) + len(READ)


@pytest.mark.parametrize("name", [name for name, file in vectors().items() if "envelope" in file])
def test_the_same_judge_refuses_no_good_envelope_for_its_form_or_signature(name: str) -> None:
    assert open_verified(bytes.fromhex(vectors()[name]["envelope"]), max_bytes=LARGEST).record
