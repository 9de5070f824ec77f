"""`musigd protocol-vectors`: prints the test vectors of the protocol for other implementations; needs no daemon."""

from __future__ import annotations

import argparse

import orjson

from config.output.terminal import say
from musig2.protocol.vectors import vectors


def show(_: argparse.Namespace) -> int:
    """Print one JSON object: the content of each vector file, by its name."""
    say(orjson.dumps(vectors(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
    return 0
