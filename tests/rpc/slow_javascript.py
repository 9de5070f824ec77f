"""The example in JavaScript against two daemons; needs Node 22 or newer, or 20 with its WebSocket switched on.

python tests/rpc/slow_javascript.py
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from rpc_daemons import two_daemons

EXAMPLE = Path(__file__).parent.parent.parent / "examples/sign_together.mjs"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with two_daemons(Path(folder)) as pair:
            command = ["node", "--experimental-websocket", str(EXAMPLE), *map(str, pair.datadirs)]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            async with asyncio.timeout(150):
                output = (await process.communicate())[0].decode()
    if process.returncode != 0 or not re.search(r"^signature [0-9a-f]{128}$", output, re.MULTILINE):
        raise SystemExit(f"the example made no signature:\n{output}")


if __name__ == "__main__":
    asyncio.run(main())
