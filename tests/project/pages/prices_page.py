"""Writes the tables of work in docs/security.md, between their marks: `python -m tests.project.pages.prices_page`."""

# ruff: noqa: E501  # rows of tables are read side by side

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from p2p.ports import Standing
from p2p.streams.prices import (
    ALLOWANCES,
    BAN_AT,
    DOOR,
    DOOR_BESIDE,
    IDLE_FACTOR,
    LEAST_AT_ONCE,
    MILLISECOND,
    PRICES_US,
    RANGE,
    SECOND,
    TOGETHER,
    WELCOME,
    Allowance,
    Work,
)

PAGE: Final = Path(__file__).parents[3] / "docs/security.md"
BEGIN, END = "<!-- prices: written by python -m tests.project.pages.prices_page -->", "<!-- end of prices -->"
CHARGED: Final = {  # whom, where it is not the peer that sends and its range
    Work.HANDSHAKE: "all that connect",
    Work.DIAL: "the peer that published the notice",
    Work.GOSSIP: "the peer that forwards",
}
WHO: Final = {
    Standing.KNOWN: "known: named by the settings, signed with before, in a session with an own key, or advertising a pinned key",
    Standing.ESTABLISHED: "established: behind an advertisement that this daemon has held for an hour",
    Standing.STRANGER: "a stranger",
}


def _duration(microseconds: float) -> str:
    if microseconds >= SECOND:
        return f"{microseconds / SECOND:g} s"
    return f"{microseconds / MILLISECOND:g} ms" if microseconds >= MILLISECOND else f"{microseconds:g} us"


def _row(who: str, allowance: Allowance) -> str:
    return f"| {who} | {_duration(allowance.per_second)} | {_duration(allowance.at_once)} |"


def tables() -> str:
    """Both tables, and what holds beside them."""
    prices = [
        f"| {work.value} | {_duration(price)} | {CHARGED.get(work, 'the peer, and its range')} |"
        for work, price in PRICES_US.items()
    ]
    allowances = [_row(who, ALLOWANCES[standing]) for standing, who in WHO.items()]
    allowances += [
        _row("all in one /24 or /48 that are not known", RANGE),
        _row(f"handshakes of all that connect, beside a session {_duration(DOOR_BESIDE)} at once", DOOR),
    ]
    return "\n".join(
        [
            "| work | costs | charged to |\n|---|---|---|",
            *prices,
            "\n| who | per second | at once |\n|---|---|---|",
            *allowances,
            f"\nHowever many they are, strangers who owe share {_duration(TOGETHER[Standing.STRANGER])} per second, established peers",
            f"{_duration(TOGETHER[Standing.ESTABLISHED])}. All but the known get",
            f"{IDLE_FACTOR} times as much while no session of this daemon is under way. Refusals of {_duration(BAN_AT)} are a ban.",
            f"New strangers begin with {_duration(LEAST_AT_ONCE)} while more than {_duration(WELCOME.per_second)} per second would be theirs.",
        ]
    )


def written(text: str) -> str:
    """The page with the tables as the code has them."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{tables()}\n{END}", text)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
