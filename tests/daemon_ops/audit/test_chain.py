"""A file of the audit log shows whatever was done to it: changed, removed, moved, added, cut off, written anew."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.audit.chain import GENESIS, Anchor, ChainBroken, ChainLine, check_file, follow, next_line, written
from daemon.commands.audit import UNANCHORED
from daemon.main import main

MUTATIONS = 1_000


def chain(count: int, first: str = "key:created") -> list[ChainLine]:
    at, lines = GENESIS, []
    for number in range(count):
        lines.append(next_line(at, 1_800_000_000_000 + number, {"what": first, "n": number, "label": "K\u00e4se"}))
        at = lines[-1].link
    return lines


def file_of(lines: Sequence[ChainLine], start: Anchor = GENESIS) -> list[bytes]:
    return list(written(lines, start))


def test_a_whole_file_is_accepted_with_its_anchors() -> None:
    lines = chain(9)
    found = check_file(file_of(lines), [GENESIS, lines[3].link, lines[8].link])
    assert (found.start, found.end) == (GENESIS, lines[8].link)


def test_a_file_that_begins_later_is_complete_too() -> None:
    lines = chain(9)
    found = check_file(file_of(lines[4:], lines[3].link), [lines[3].link])
    assert found.start.seq == 4


def test_an_empty_log_has_a_file() -> None:
    assert check_file(file_of([])).end == GENESIS


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """A file with one random thing done to it."""
    at, texts = dice.randrange(len(raw)), raw.splitlines(keepends=True)
    line, other = dice.randrange(len(texts)), dice.randrange(len(texts))
    match dice.randrange(7):
        case 0:
            return raw[:at] + bytes([raw[at] ^ 1 << dice.randrange(8)]) + raw[at + 1 :]
        case 1:
            return raw[:at] + raw[at + 1 :]
        case 2:
            return raw[:at] + bytes([dice.randrange(256)]) + raw[at:]
        case 3:
            return raw[:at]
        case 4:
            return b"".join(texts[:line] + texts[line + 1 :])
        case 5:
            texts[line], texts[other] = texts[other], texts[line]
            return b"".join(texts)
        case _:
            return b"".join([*texts[:line], texts[other], *texts[line:]])


def test_every_one_of_a_thousand_mutations_is_found() -> None:
    dice, raw = random.Random(327), b"".join(file_of(chain(12)))
    found = 0
    while found < MUTATIONS:
        changed = mutated(raw, dice)
        if changed == raw:
            continue
        with pytest.raises(ChainBroken):
            check_file(changed.splitlines(keepends=True))
        found += 1
    assert found == MUTATIONS


def test_a_log_that_was_written_anew_is_found_by_an_anchor() -> None:
    lines = chain(9)
    forged = file_of(chain(9, first="key:deleted"))
    assert check_file(forged).end.seq == 9
    with pytest.raises(ChainBroken, match="is not in it"):
        check_file(forged, [lines[5].link])


def test_an_anchor_from_before_or_after_the_file_is_told_from_a_log_written_anew() -> None:
    lines = chain(9)
    with pytest.raises(ChainBroken, match="lies after the end of the file, which is seq 5"):
        check_file(file_of(lines[:5]), [lines[5].link])
    with pytest.raises(ChainBroken, match="begins after seq 4"):
        check_file(file_of(lines[4:], lines[3].link), [lines[2].link])


def test_what_is_wrong_in_a_file_is_named_by_its_line_and_by_its_seq() -> None:
    texts = file_of(chain(9)[4:], chain(9)[3].link)
    with pytest.raises(ChainBroken, match=r"^line 4 of the file: after seq 6 comes seq 8"):
        check_file([*texts[:3], *texts[4:]])
    with pytest.raises(ChainBroken, match=r"^line 3 of the file: it is not JSON"):
        check_file([*texts[:2], b"?", *texts[2:]])


def test_a_file_without_an_anchor_passes_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, lines = tmp_path / "record.jsonl", chain(3)
    file.write_bytes(b"".join(file_of(lines)))
    assert main(["audit", "verify", str(file)]) == 0
    assert UNANCHORED in capsys.readouterr().out
    assert main(["audit", "verify", str(file), "--anchor", str(lines[2].link)]) == 0
    assert UNANCHORED not in capsys.readouterr().out


def test_the_place_where_a_chain_breaks_is_named() -> None:
    lines = chain(5)
    with pytest.raises(ChainBroken, match="after seq 2 comes seq 4"):
        follow([*lines[:2], *lines[3:]], GENESIS)
    with pytest.raises(ChainBroken, match="seq 3 is not what was written after seq 2"):
        follow([*lines[:2], ChainLine(3, lines[2].time, lines[2].body + " ", lines[2].hash)], GENESIS)


@pytest.mark.parametrize("text", ["", "5", "5:", "x:" + "00" * 32, "5:" + "0" * 63, "-1:" + "00" * 32])
def test_a_malformed_anchor_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Anchor.parse(text)
