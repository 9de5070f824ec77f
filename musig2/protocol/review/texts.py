"""A message that is no transaction: `metadata.messageText`, hashed under a tag that no transaction is hashed under.

The message is `tagged_hash(messageTag, UTF-8 of messageText)` as in BIP-340. Tags are in lower case. Those of the
standards (TapSighash, BIP0340/challenge ...) are not, and those that are, this protocol's and BOLT 12's
(lightninginvoicesignature ...), are reserved. So no text can be the hash of anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from musig2.curve.hashing import tagged_hash
from musig2.protocol.records.records import Open
from musig2.protocol.review.findings import SignedText
from musig2.protocol.review.shown import Unreadable

TEXT: Final = "metadata.messageText"
TAG: Final = "metadata.messageTag"
ORDINARY_TAG: Final = "signed-text/v1"
TAG_FORM: Final = "[a-z0-9][a-z0-9 ./_-]{0,63}"
RESERVED: Final = ("musigd/", "lightning")  # the records of this protocol; offers and invoices of BOLT 12


def read_text(metadata: Mapping[str, Open]) -> SignedText | None:
    """The text that is to be signed, None where there is none. Raises Unreadable."""
    text, tag = metadata.get("messageText"), metadata.get("messageTag")
    if text is None:
        return None
    if not isinstance(text, str):
        raise Unreadable(TEXT, "must be text")
    if not all(char.isprintable() or char in "\n\t" for char in text):
        raise Unreadable(TEXT, "holds characters that nobody can see")
    if tag is None:
        return SignedText(ORDINARY_TAG, text)
    if not isinstance(tag, str) or re.fullmatch(TAG_FORM, tag) is None or tag.startswith(RESERVED):
        raise Unreadable(
            TAG, "must be 1 to 64 characters out of a-z, 0-9, space and ./_-, and not begin with musigd/ or lightning"
        )
    return SignedText(tag, text)


def text_hash(signed: SignedText) -> bytes:
    """The 32 bytes that are signed for this text."""
    return tagged_hash(signed.tag, signed.text.encode())
