"""Who broadcasts first, and who takes over."""

from dataclasses import replace
from hashlib import sha256

import pytest

from musig2.protocol.broadcast.election import priority
from musig2.protocol.records.records import Election, Request
from tests.protocol.records_world import ANNA, BEN, CLEO, Signer, request

# Sorted, the keys are Cleo 0, Anna 1, Ben 2; the wallet named Ben, Cleo, Anna.


def asked(method: str) -> Request:
    return replace(request(), election=Election(method, 1))


def test_the_fixture_is_in_the_order_that_the_tests_expect() -> None:
    assert request().keys == (CLEO.pubkey, ANNA.pubkey, BEN.pubkey)
    assert request().order == (2, 0, 1)


@pytest.mark.parametrize(
    ("method", "expected"),
    [("lexicographic", (0, 1, 2)), ("first-signer", (2, 0, 1)), ("last-signer", (1, 0, 2))],
)
def test_the_order_of_turns(method: str, expected: tuple[int, ...]) -> None:
    assert priority(asked(method)) == expected


def test_hash_based_starts_where_the_hash_of_the_sorted_keys_says_and_goes_round() -> None:
    starts = set()
    for index in range(12):
        keys = tuple(sorted((ANNA.pubkey, BEN.pubkey, Signer.called(f"somebody {index}").pubkey)))
        number = int(sha256("".join(key.hex() for key in keys).encode()).hexdigest()[:8], 16)
        first = number % 3
        elected = priority(replace(asked("hash-based"), keys=keys))
        assert elected == (first, (first + 1) % 3, (first + 2) % 3)
        starts.add(first)
    assert starts == {0, 1, 2}


def test_without_an_election_nobody_has_a_turn() -> None:
    assert priority(replace(request(), election=None)) == ()


@pytest.mark.parametrize("method", ["lexicographic", "hash-based", "first-signer", "last-signer"])
def test_everybody_has_exactly_one_turn(method: str) -> None:
    assert sorted(priority(asked(method))) == [0, 1, 2]
