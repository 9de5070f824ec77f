"""Normal form C of Unicode 14.0, whatever version the interpreter knows: a record is good everywhere or nowhere.

Later versions never change how a character that exists is normalised, but they assign code points that were free, and
some of these combine with others. By its own tables a newer Python would refuse text that an older one takes, stores
and serves, and would count it against whoever passed it on. So what came later is here what it was in 14.0: unassigned,
which combines with nothing and stays where it stands. Text in the normal form of a later version is always in this one.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import is_normalized

LATEST_KNOWN: Final = "16.0.0"  # of Unicode; a later one may have more characters for the list below
# What came with 15.0 to 16.0 and combines: with a combining class, with a canonical decomposition, or part of one.
_CAME_LATER: Final = re.compile(
    "[\u0897\U000105c9\U000105d2\U000105da\U000105e4\U00010d69-\U00010d6d\U00010efd-\U00010eff\U00011382-\U00011385"
    "\U0001138b\U0001138e\U00011390\U00011391\U000113b8\U000113bb\U000113c2\U000113c5\U000113c7-\U000113c9"
    "\U000113ce-\U000113d0\U00011f41\U00011f42\U0001611e-\U00016129\U0001612f\U00016d63\U00016d67-\U00016d6a"
    "\U0001e08f\U0001e4ec-\U0001e4ef\U0001e5ee\U0001e5ef]"
)


def is_nfc(text: str) -> bool:
    """Whether text is in normal form C as of Unicode 14.0."""
    return all(is_normalized("NFC", piece) for piece in _CAME_LATER.split(text))
