"""The table of attacks in docs/security.md is written from a run, and what was measured before stays."""

from __future__ import annotations

from typing import Any

from tests.adversary.table import PAGE, before, reached, written

SEEN = {"seconds": 12.0, "cpu_s": 3.0, "growth": 7.0, "livez_s": [0.01]}


def found(attack: str, attacked: float = 0.02, failed: str = "") -> dict[str, Any]:
    """What was measured under an attack."""
    return {
        "attack": attack,
        "undisturbed": [0.015] * 200,
        "attacked": [attacked] * 200,
        "seen": SEEN,
        "newcomers": [0.3],
        "alive": True,
        "load": 1.0,
        "commit": "0123abcd",
        "failed": failed,
    }


def test_a_run_replaces_what_was_measured_after_and_keeps_what_was_before() -> None:
    page = PAGE.read_text()
    names = ("fetches", "dial_backs", "a_new_attack")
    again = written(written(page, {"fetches": found("fetches")}), {name: found(name) for name in names})
    rows = {line.split("|")[1].strip(): line for line in again.splitlines() if line.startswith("| ")}
    assert before(page) == {name: was for name, was in before(again).items() if name != "a new attack"}
    mark, figures = before(page)["fetches"]
    assert f"| {figures[1]}, 0.020 | 0.015 | {figures[2]}, 0.020 |" in rows[f"fetches{mark}"]
    assert "| -, 0.020 | -, 0.020 | 0.015 |" in rows["dial backs"]
    assert "| -, 0.020 | -, 0.020 | 0.015 |" in rows["a new attack"]


def test_an_attack_that_was_not_measured_again_keeps_its_row() -> None:
    rows = written(PAGE.read_text(), {"fetches": found("fetches")}).splitlines()
    assert next(line for line in rows if line.startswith("| withdrawals")).endswith(", - |")


def test_an_attack_that_missed_the_aim_or_was_not_measured_is_named() -> None:
    run = {"slow": found("slow", 1.5), "broken": found("broken", failed="TimeoutError: "), "good": found("good")}
    lines = "\n".join(reached(run))
    assert "Of 2 attacks" in lines
    assert "| no signature over 1 s, of 400 | 1 | slow |" in lines
    assert "| `/livez` under 0.3 s | 2 | - |" in lines
    assert "not measured: TimeoutError" in written(PAGE.read_text(), run)
