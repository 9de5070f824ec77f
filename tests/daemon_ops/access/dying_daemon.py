"""`musigd run` that is killed (-9) when it is about to store the answer to a call with an idempotency key."""

from __future__ import annotations

import os
import signal
import sys

from daemon.main import main
from rpc.calls.idempotency import Idempotency


async def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Idempotency._settled = die  # type: ignore[assignment]  # dying here is what this program is for
    sys.exit(main())
