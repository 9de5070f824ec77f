"""The page for those who come from other signers names calls and members that exist here."""

from __future__ import annotations

import re

from rpc.methods.table import METHODS
from tests.project.locks import PROJECT
from tests.rpc.schema.test_wallets_page import fields_of_the_api

PAGE = (PROJECT / "docs" / "from-other-signers.md").read_text()


def test_every_call_in_the_column_of_musigd_is_a_method_or_a_member() -> None:
    ours = [row.split(" | ")[1] for row in re.findall(r"^\| (.*)\|$", PAGE, re.MULTILINE) if " | " in row]
    words = {
        word for cell in ours for code in re.findall(r"`([^`]+)`", cell) for word in re.findall(r"[a-z]+[A-Z]\w+", code)
    }
    assert {"aggregateKeys", "announceSigningRequest", "getFinalSignature"} < words
    assert words <= {*METHODS, *fields_of_the_api()}
