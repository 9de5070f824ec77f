"""Text that one Python takes every Python takes: the normal form does not follow the interpreter's Unicode."""

from __future__ import annotations

import unicodedata

import pytest

from musig2.protocol.records import normal_form
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.normal_form import LATEST_KNOWN, is_nfc

# Normal in 14.0, which does not know the last or first of these characters; not normal in the versions named.
LATER = {
    "15.0: a mark below after one above": "q\u0301\U00010efd",
    "15.0: a mark after a virama": "q\u0301\U00011f41",
    "15.0: a mark of 232 after one of 230": "q\U0001e4ec\u0301",
    "16.0: a letter and a mark with a common form": "\U000105d2\u0307",
    "16.0: a vowel in two parts": "\U00016129\U0001611f",
}
PLAIN = {  # and whether 14.0 calls it normal
    "\u00fc": True,
    "u\u0308": False,
    "q\u0301": True,
    "q\u0301\u0316": False,
    "\U0001fae8": True,
    "": True,
}


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def newer(form: str, text: str) -> bool:
    """As an interpreter answers that knows what came later."""
    assert form == "NFC"
    return text not in LATER.values() and unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize("text", LATER.values(), ids=LATER)
def test_what_a_newer_unicode_would_order_or_compose_is_taken_everywhere(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normal_form, "is_normalized", newer)
    assert is_nfc(text)
    assert decode(encode({"note": text})) == {"note": text}


@pytest.mark.parametrize(("text", "good"), PLAIN.items(), ids=[ascii(text) for text in PLAIN])
def test_the_form_of_what_14_0_knows_is_checked_alone_and_beside_what_came_later(text: str, good: bool) -> None:
    assert is_nfc(text) is good
    assert is_nfc("\U00010efd" + text) is good
    assert is_nfc(text + "\U000105d2" + text) is good


def test_this_python_has_no_unicode_of_which_the_list_says_nothing() -> None:
    assert version(unicodedata.unidata_version) <= version(LATEST_KNOWN), "extend normal_form.py, and docs/protocol.md"
