"""The variables that `musig-cli` reads; an unknown one with their prefix is refused, not ignored."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from config.service_variables import is_service_variable
from rpc.cli.params import UsageError

PREFIX: Final = "MUSIG_"
KNOWN: Final = ("MUSIG_URL", "MUSIG_TOKEN_FILE")
MEANING: Final = {
    "MUSIG_URL": "address of the daemon, as --url",
    "MUSIG_TOKEN_FILE": "file with the token, as --token-file",
    "MUSIGD_DATADIR": "data directory of the daemon, as --datadir",
}


def refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Raises UsageError for a `MUSIG_*` variable that is unknown; those that Kubernetes sets are ignored."""
    for name, value in environment.items():
        if name.startswith(PREFIX) and name not in KNOWN and not is_service_variable(name, value, PREFIX):
            (nearest,) = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.0)
            raise UsageError(f"unknown variable {name}; the nearest known one is {nearest}")
