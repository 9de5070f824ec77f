"""The start-up matrix as a table: python -m tests.start.matrix"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.start.commands import Ended, daemon_in, run_in
from tests.start.environments import Row, rows

AT_ONCE = 4
WIDTH = 46


@dataclass(frozen=True)
class Outcome:
    """How every command ended in one environment."""

    check: Ended
    doctor: Ended
    run: Ended
    info: Ended

    def __iter__(self) -> Iterator[Ended]:
        return iter((self.check, self.doctor, self.run, self.info))


async def outcome_of(row: Row, root: Path) -> Outcome:
    """Run all four commands, in this order, in a directory of their own."""
    row.environment.prepare(root)
    check = await run_in(row.environment, root, "musigd", "config", "check")
    doctor = await run_in(row.environment, root, "musigd", "doctor")
    run, info = await daemon_in(row.environment, root)
    return Outcome(check, doctor, run, info)


def faults_of(row: Row, outcome: Outcome) -> list[str]:
    """What is not as it should be."""
    expected = row.expected
    found = []
    for name, ended, code in zip(
        ("config check", "doctor", "run", "getInfo"),
        outcome,
        (expected.check, expected.doctor, expected.run, expected.info),
        strict=True,
    ):
        if ended.code != code:
            found.append(f"{name} ends with {ended.code}, not {code}: {ended.err.strip() or ended.out.strip()[-300:]}")
        if any(
            word in ended.err + ended.out for word in ("Traceback", "Exception ignored", "should not have happened")
        ):
            found.append(f"{name} shows its inside: {ended.err}")
    if outcome.run.ready is not expected.ready:
        found.append(f"run {'became' if outcome.run.ready else 'did not become'} ready: {outcome.run.err}")
    said = "".join(ended.err for ended in outcome if ended.code)
    if expected.says not in said:
        found.append(f"nothing says {expected.says!r}: {said}")
    return found


async def _print_all(only: str) -> int:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(row: Row) -> list[str]:
        async with limit:
            with tempfile.TemporaryDirectory() as root:
                outcome = await outcome_of(row, Path(root))
        faults = faults_of(row, outcome)
        codes = [
            str(outcome.check.code),
            str(outcome.doctor.code),
            ("ready " if outcome.run.ready else "") + str(outcome.run.code),
            str(outcome.info.code),
        ]
        first = next((line for ended in outcome if ended.code for line in ended.err.splitlines()), "")
        print(f"{row.name:<{WIDTH}} {codes[0]:>5} {codes[1]:>6} {codes[2]:>8} {codes[3]:>7}  {first}", flush=True)
        for fault in faults:
            print(f"    NOT AS EXPECTED: {fault}", flush=True)
        return faults

    print(f"{'environment':<{WIDTH}} check doctor      run getInfo  first sentence", flush=True)
    faults = await asyncio.gather(*(one(row) for row in rows(all_of_them=True) if only in row.name))
    return int(any(faults))


if __name__ == "__main__":
    sys.exit(asyncio.run(_print_all(sys.argv[1] if sys.argv[1:] else "")))
