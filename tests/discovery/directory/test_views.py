"""The fast texts of peer ids and addresses are those of the libraries."""

from __future__ import annotations

import random

import base58 as library
import pytest

from daemon.discovery.intake.views import address_text, base58
from p2p.addresses import from_text, to_text

ADDRESSES = ("/ip4/203.0.113.7/tcp/4327", "/ip4/127.0.0.1/tcp/1", "/ip6/2001:db8::1/tcp/65535", "/ip6/::1/tcp/80")
OTHERS = ("/dns4/example.org/tcp/443", "/ip4/203.0.113.7/udp/9", "/ip4/203.0.113.7/tcp/443/ws")


def test_base58_is_that_of_the_library() -> None:
    rng = random.Random(1)
    texts = [bytes(38), b"", b"\0\0\1", *(rng.randbytes(rng.randint(1, 60)) for _ in range(500))]
    assert [base58(data) for data in texts] == [library.b58encode(data).decode() for data in texts]


@pytest.mark.parametrize("text", [*ADDRESSES, *OTHERS])
def test_an_address_has_the_text_of_the_library(text: str) -> None:
    assert address_text(from_text(text)) == to_text(from_text(text))


def test_an_address_that_cannot_be_read_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        address_text(b"\xff\xff\xff")
