"""The rule for text that people read: which characters are unfit, how text is cleaned, and that logs escape it."""

from __future__ import annotations

import io
import logging

import orjson
import pytest
import structlog

from config.logging import log_to
from config.text.plain_text import cleaned, cleaned_body, cleaned_json, escaped, first_unfit

OVERRIDE, ESCAPE, CSI = "\u202e", "\x1b", "\x9b"

UNFIT = {
    "a control character": "\x07",
    "an escape sequence": ESCAPE,
    "an escape sequence of eight bits": CSI,
    "delete": "\x7f",
    "a carriage return": "\r",
    "a right-to-left override": OVERRIDE,
    "a right-to-left isolate": "\u2067",
    "a right-to-left mark": "\u200f",
    "an Arabic letter mark": "\u061c",
    "a zero-width space": "\u200b",
    "a byte order mark": "\ufeff",
    "a tag character": "\U000e0041",
    "a line separator": "\u2028",
    "an unassigned character": "\u0378",
    "a private character": "\ue000",
    "half a character": "\ud800",
}
FIT = ("Zoë", "名前", "شركة", "می‌خواهم", "👩‍👩‍👧", "a\u00a0b", "\u06dd12", "10 €")


@pytest.mark.parametrize("char", UNFIT.values(), ids=UNFIT.keys())
@pytest.mark.parametrize("lines", [False, True])
def test_unfit_character_is_found_cleaned_and_escaped(char: str, lines: bool) -> None:
    text = f"Al{char}ice"
    assert first_unfit(text, lines=lines) == char
    shown = cleaned(text, lines=lines)
    assert first_unfit(shown) is None
    assert shown != "Alice", "nobody becomes another by what is taken away"
    assert char not in escaped(text, lines=lines)
    assert orjson.loads(f'"{escaped(text, lines=lines)}"') == text if char != "\ud800" else True


@pytest.mark.parametrize("text", FIT)
def test_scripts_emoji_and_spaces_of_all_languages_stay_as_they_are(text: str) -> None:
    assert first_unfit(text) is None
    assert cleaned(text) is text
    assert escaped(text) is text


def test_line_breaks_stay_in_texts_of_several_lines_only() -> None:
    assert first_unfit("a\n\tb", lines=True) is None
    assert cleaned("a\n\tb") == "a  b"
    assert escaped("a\nb") == "a\\u000ab"
    value = {"description": "a\nb", "nickname": "a\nb", "more": [{"label": "a\tb"}]}
    assert cleaned_json(value) == {"description": "a\nb", "nickname": "a b", "more": [{"label": "a b"}]}


@pytest.mark.parametrize("char", [char for char in UNFIT.values() if char != "\ud800"])
def test_encoded_json_is_cleaned_in_names_and_values(char: str) -> None:
    body = orjson.dumps({"list": [f"a{char}", 1, None, {f"transactionHex{char}": "00"}], "nickname": f"{char}x"})
    shown = orjson.loads(cleaned_body(body))
    assert char not in repr(shown)
    assert "transactionHex" not in shown["list"][3]
    assert cleaned_body(cleaned_body(body)) == cleaned_body(body)


@pytest.mark.parametrize("value", [{"a": "plain"}, {"a": 'quoted " and \\ slash'}, {"a": "Zoë"}, {"a": "b\nc"}])
def test_encoded_json_without_unfit_text_means_what_it_meant(value: dict[str, str]) -> None:
    assert orjson.loads(cleaned_body(orjson.dumps(value))) == value


@pytest.mark.parametrize("form", ["console", "json"])
def test_text_of_a_peer_cannot_steer_a_terminal_through_the_log(form: str) -> None:
    stream = io.StringIO()
    log_to(logging.StreamHandler(stream), "debug", form)
    wrote = f"{ESCAPE}[2J{OVERRIDE}{CSI}\n2026-01-01 [error] all keys are gone"
    log = structlog.get_logger("musigd.test")
    try:
        raise ValueError(wrote)
    except ValueError:
        log.exception(wrote, agent=wrote, nested={"agents": [wrote]})
    log.info("the end")
    for char in (ESCAPE, OVERRIDE, CSI):
        assert char not in stream.getvalue()
    assert stream.getvalue().splitlines()[0].count("all keys are gone") >= 3, "they are one line"
