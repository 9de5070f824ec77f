"""The message of a text is the one that the daemon computes."""

from __future__ import annotations

import re

import pytest

from musig2.protocol.review.findings import SignedText
from musig2.protocol.review.texts import ORDINARY_TAG, RESERVED, TAG_FORM, text_hash
from musigd_client import text_message
from tests.project.locks import PROJECT

TEXT = "I, \u00c4lice, agree.\n"
MESSAGE = "7941a3c933399d84075ffbef0a0f02e1dee6c1a9884fe3ced123842fe1667e7d"


def test_the_message_of_a_text_is_the_daemons_and_the_same_in_both_kits() -> None:
    assert text_message(TEXT) == text_hash(SignedText(ORDINARY_TAG, TEXT)).hex() == MESSAGE
    assert text_message(TEXT, "other/v1") == text_hash(SignedText("other/v1", TEXT)).hex()
    assert MESSAGE in (PROJECT / "clients/typescript/test/texts.test.ts").read_text(encoding="utf-8")


@pytest.mark.parametrize("tag", ["", "TapSighash", "musigd/x", "lightninginvoicesignature", "a" * 65])
def test_a_tag_that_no_daemon_takes_is_refused(tag: str) -> None:
    assert re.fullmatch(TAG_FORM, tag) is None or tag.startswith(RESERVED)
    with pytest.raises(ValueError, match="a tag is 1 to 64 characters"):
        text_message("a", tag)
