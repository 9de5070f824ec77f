"""How a list is written in one text: in a variable, behind a flag, or as a parameter of `musig-cli`."""

from __future__ import annotations

import json
import re
from typing import Final

EXPECTED: Final = "words separated by commas or spaces, or a JSON array of texts"
_JSON: Final = re.compile(r'\s*\[\s*["\]]')  # not [::1]


def words_of(text: str) -> list[str]:
    """The items: separated by commas or spaces, none of which counts at the ends or twice; or those of a JSON array.

    Raises ValueError.
    """
    if _JSON.match(text) is None:
        return [word for word in re.split(r"[,\s]+", text) if word]
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError(f"must be {EXPECTED}")
    return items
