"""The example in JavaScript against two daemons; needs Node 22 or newer, on the PATH or named by NODE.

python -m tests.rpc.client.slow_javascript
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.rpc.rpc_daemons import two_daemons

EXAMPLE = Path(__file__).parents[3] / "examples/sign_together.mjs"
OLDEST = 22  # the first with a WebSocket of its own
NAMES = ("node", "node22", "node24", "nodejs")


def node() -> str:
    """A Node that is new enough; ends the program with a sentence when there is none."""
    named = os.environ.get("NODE")
    found = [path for name in ((named,) if named else NAMES) if (path := shutil.which(name)) is not None]
    versions = {path: version_of(path) for path in found}
    for path, version in versions.items():
        if version >= OLDEST:
            return path
    seen = ", ".join(f"{path} is version {version}" for path, version in versions.items()) or "none was found"
    raise SystemExit(
        f"The example needs Node {OLDEST} or newer ({seen}). Install it, or name one: make test-javascript NODE=PATH; "
        f"`npm install --prefix DIR node@{OLDEST}` brings DIR/node_modules/.bin/node."
    )


def version_of(path: str) -> int:
    """The major version; 0 for what is no Node."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # as named
    match = re.match(r"v(\d+)\.", said)
    return int(match[1]) if match else 0


async def main() -> None:
    program = node()
    with tempfile.TemporaryDirectory() as folder:
        async with two_daemons(Path(folder)) as pair:
            command = [program, str(EXAMPLE), *map(str, pair.datadirs)]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            async with asyncio.timeout(150):
                output = (await process.communicate())[0].decode()
    if process.returncode != 0 or not re.search(r"^signature [0-9a-f]{128}$", output, re.MULTILINE):
        raise SystemExit(f"the example made no signature:\n{output}")
    print(output, end="")


if __name__ == "__main__":
    asyncio.run(main())
