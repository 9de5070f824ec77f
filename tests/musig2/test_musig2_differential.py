"""musig2 and the slow implementation agree on random sessions of both schemes."""

import os
import time

import pytest

from tests.musig2.differential import assert_both_agree

SECONDS = 18


def test_both_implementations_agree_on_a_few_sessions() -> None:
    for seed in range(40):
        assert_both_agree(seed)


@pytest.mark.slow
def test_both_implementations_agree_on_all_sessions_that_time_allows() -> None:
    """About a thousand; `differential.py` runs 100,000 at night."""
    first = int.from_bytes(os.urandom(4)) << 32
    seed, end = first, time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            assert_both_agree(seed)
        except AssertionError:
            pytest.fail(f"seed {seed} disagrees")
        seed += 1
    assert seed - first > 100
