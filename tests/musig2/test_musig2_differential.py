"""musig2 and the slow implementation agree on random sessions of both schemes."""

import os

import pytest

from tests.musig2.differential import assert_both_agree

SESSIONS = 250


def test_both_implementations_agree_on_a_few_sessions() -> None:
    for seed in range(40):
        assert_both_agree(seed)


@pytest.mark.slow
def test_both_implementations_agree_on_sessions_of_new_seeds() -> None:
    """`differential.py` runs 100,000 at night."""
    first = int.from_bytes(os.urandom(4)) << 32
    for seed in range(first, first + SESSIONS):
        try:
            assert_both_agree(seed)
        except AssertionError:
            pytest.fail(f"seed {seed} disagrees")
