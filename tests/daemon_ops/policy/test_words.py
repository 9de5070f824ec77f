"""What a condition met is told as the comparison itself."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.commands.policy import weighed_text
from daemon.policy.rules import Weighed

DAY = {"amount": 250_000, "count": 2}


@pytest.mark.parametrize(
    ("member", "limit", "value", "holds", "adds", "said"),
    [
        ("max_amount", 250_000, 600_000, False, 600_000, "max_amount = 250000: 600000 > 250000"),
        ("max_fee", 900, 900, True, None, "max_fee = 900: 900 <= 900"),
        ("min_reputation", 60, 12, False, None, "min_reputation = 60: 12 < 60"),
        ("max_amount", 7, None, False, None, "max_amount = 7: unknown"),
        ("review", ["checked"], ["blind"], False, None, 'review = ["checked"]: ["blind"] does not fit'),
        ("hours", ["08:00-18:00"], "23:00", False, 1, 'hours = ["08:00-18:00"]: "23:00" does not fit'),
        (
            *("per_day", DAY, {"amount": 0, "count": 0}, False, 600_000),
            "per_day = {amount = 250000, count = 2}: 0 spent + 600000 > 250000",
        ),
        (
            *("per_day", DAY, {"amount": 5, "count": 2}, False, 7),
            "per_day = {amount = 250000, count = 2}: 2 signed + 1 > 2",
        ),
        (
            *("per_day", DAY, {"amount": 5, "count": 1}, True, 7),
            "per_day = {amount = 250000, count = 2}: 5 spent + 7 <= 250000, 1 signed + 1 <= 2",
        ),
        (
            "per_hour",
            {"amount": 9},
            {"amount": 0, "count": 0},
            False,
            None,
            "per_hour = {amount = 9}: what it costs is unknown",
        ),
        (
            "per_hour",
            {"count": 9},
            {"amount": 0, "count": 0},
            False,
            1,
            "per_hour = {count = 9}: the clock cannot be believed",
        ),
    ],
)
def test_the_comparison_is_shown(member: str, limit: Any, value: Any, holds: bool, adds: int | None, said: str) -> None:
    assert weighed_text(Weighed("small", member, 4, limit, value, holds, adds)) == f"line 4: small: {said}"
