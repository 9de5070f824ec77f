"""Run many random schedules and print what they came to; the exit code is 1 if any failed. The odd ones have hubs.

python -m tests.protocol.sim.run_schedules [count] [first seed]
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.protocol.sim.schedules import assert_sound, run


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 10_000
    first = int(arguments[1]) if len(arguments) > 1 else 0
    begin, failed, outcomes = time.monotonic(), 0, Counter[tuple[str, str, str]]()
    for seed in range(first, first + count):
        try:
            schedule = run(seed, hubs=seed % 2 == 1)
            assert_sound(schedule)
        except Exception as error:  # one failure must not hide the others
            failed += 1
            print(f"FAILED seed {seed}: {type(error).__name__}: {error}", flush=True)
            continue
        liar = "honest" if schedule.liar is None else schedule.liar.__name__
        for node in schedule.honest:
            outcomes[liar, node.machine.outcome.value, node.machine.reason or ""] += 1
    print(f"{'liar':18} {'outcome':10} {'reason':22} honest nodes")
    for (liar, outcome, reason), nodes in sorted(outcomes.items()):
        print(f"{liar:18} {outcome:10} {reason:22} {nodes}")
    took = time.monotonic() - begin
    print(f"{count} schedules, {failed} failed, {took:.0f} s, {1000 * took / count:.1f} ms each")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
