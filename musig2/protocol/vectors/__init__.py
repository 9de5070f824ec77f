"""The protocol as files: bytes of records, frames, questions, ids and names, whole sessions, and what is refused.

Written once, so that another implementation has something fixed to test itself against; docs/protocol.md, section 10,
says what they hold. Their keys are public and good for nothing else.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def vectors() -> dict[str, Any]:
    """Every file by its name without `.json`."""
    found = sorted(
        (file for file in files(__name__).iterdir() if file.name.endswith(".json")), key=lambda file: file.name
    )
    return {file.name.removesuffix(".json"): json.loads(file.read_bytes()) for file in found}
