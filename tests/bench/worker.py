"""Takes the samples of one case: `python -m tests.bench.worker CASE FOLDER [--small]`.

Says a line when all is open, then answers each line that it reads with a sample as JSON; at the end of the input it
closes everything. It runs in the tree that it measures, which with `--against` is another commit.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path

from tests.bench.cases import CASES


async def serve(name: str, folder: Path, *, small: bool) -> None:
    """Until the input ends."""
    case = next(case for case in CASES if case.name == name)
    async with case.open(folder, small) as take:
        gc.collect()
        gc.freeze()
        _say({"open": True})
        while (await asyncio.to_thread(sys.stdin.readline)).strip():
            _say({"sample": dict(await take())})


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


def main() -> int:
    """0, or 1 with a sentence as the last line."""
    try:
        from daemon.commands.run import SWITCH_SECONDS

        sys.setswitchinterval(SWITCH_SECONDS)  # as `musigd run` does
        asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), small="--small" in sys.argv))
    except Exception as error:
        _say({"failed": f"{type(error).__name__}: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
