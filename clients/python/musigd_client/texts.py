"""The message of a text that is signed together, as the daemon computes it to check `metadata.messageText`."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

ORDINARY_TAG: Final = "signed-text/v1"
_TAG: Final = re.compile("(?!musigd/|lightning)[a-z0-9][a-z0-9 ./_-]{0,63}")


def text_message(text: str, tag: str = ORDINARY_TAG) -> str:
    """The 32 bytes to sign for this text, as hex: BIP-340's tagged hash of its UTF-8.

    Give the text as `metadata.messageText`, and another tag as `metadata.messageTag`: then every signer's daemon finds
    the message `checked`, and the text cannot be the hash of a transaction. Raises ValueError for a tag that no daemon
    takes.
    """
    if _TAG.fullmatch(tag) is None:
        raise ValueError(
            "a tag is 1 to 64 characters out of a-z, 0-9, space and ./_-, and begins with neither musigd/ nor lightning"
        )
    tagged = sha256(tag.encode()).digest()
    return sha256(tagged + tagged + text.encode()).hexdigest()
