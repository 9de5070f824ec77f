"""docs/protocol.md and the code say the same about every field and every message."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from musig2.protocol.records import codec, field_rules
from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.records.records import RecordType
from musig2.protocol.wire import frame_codec as frames
from musig2.protocol.wire import sync

DOCS = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
RECORDS = DOCS.partition("## 4. Records")[2].partition("## 5. Checks")[0]


@pytest.mark.parametrize("record_type", RecordType)
def test_the_fields_of_a_record_are_documented_in_the_order_of_their_encoding(record_type: RecordType) -> None:
    section = RECORDS.partition(f"### {record_type}\n")[2].partition("\n### ")[0]
    table = section.partition("| field | value |")[2].partition("\n\n")[0]
    documented = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert documented == sorted(codec.SHAPES[record_type].rules, key=lambda name: (len(name), name))


@pytest.mark.parametrize(("seq", "shape"), codec.BODIES.items())
def test_the_fields_of_a_message_body_are_documented(seq: int, shape: codec.Shape) -> None:
    row = next(line for line in RECORDS.splitlines() if line.startswith(f"| {seq} "))
    documented = re.findall(r"`(\w+)`", row.split("|")[2])
    assert documented == sorted(shape.rules, key=lambda name: (len(name), name))


def test_every_frame_is_documented_with_its_fields() -> None:
    section = DOCS.partition("## 7. Session frames")[2].partition("## 8.")[0]
    documented = {
        kind: rest.count(", ") for kind, rest in re.findall(r'^\| `\["(\w+)"(.*)\]` \|', section, re.MULTILINE)
    }
    counted = {kind: len(rules) for kind, rules in frames.RULES.items()}
    assert documented.keys() == counted.keys()
    assert documented["have"] == counted["have"]


def test_every_question_and_answer_is_documented_with_its_fields() -> None:
    section = DOCS.partition("## 8. Directory questions")[2].partition("## 9.")[0]
    documented = set(re.findall(r'`\["([a-z-]+)"', section))
    assert documented == sync.ASKS.keys() | sync.ANSWERS.keys()
    for op, (cls, _) in [*sync.ASKS.items(), *sync.ANSWERS.items()]:
        shown = re.search(rf'\["{op}"([^`]*)\]`', section)
        assert shown is not None
        flat = re.sub(r"\[[^\[\]]*(\[[^\[\]]*\])?[^\[\]]*\]", "x", shown[1])
        assert flat.count(", ") == len(fields(cls)), op


def test_limits_are_documented() -> None:
    limits = RecordLimits()
    numbers = [limits.advertisement_bytes, limits.entry_bytes, limits.withdrawal_bytes, limits.node_bytes]
    numbers += [limits.notice_bytes, limits.request_bytes, limits.items_times_signers, limits.skew_ms]
    numbers += [field_rules.MAX_EVIDENCE_BYTES, sync.MAX_STATEMENTS, sync.MAX_IDS, sync.MAX_ENVELOPE_BYTES]
    for number in numbers:
        assert f"{number:,}" in DOCS
