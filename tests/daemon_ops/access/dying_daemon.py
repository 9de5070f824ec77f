"""`musigd run` that is killed (-9) when it is about to store the answer to a call with an idempotency key."""

from __future__ import annotations

import os
import signal
import sys

from daemon.access.idempotency import StoredAnswers
from daemon.main import main
from rpc.ports import StoredAnswer


async def die(self: StoredAnswers, token_id: str, key: str, answer: StoredAnswer) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    StoredAnswers.save = die  # type: ignore[method-assign]  # dying here is what this program is for
    sys.exit(main())
