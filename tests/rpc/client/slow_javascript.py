"""The programs in JavaScript against two daemons; needs Node 20 or newer, on the PATH or named by NODE.

The example makes a signature, by WebSocket where this Node has one and by long polling; the recipe of docs/wallets.md
waits for one through a restart.

python -m tests.rpc.client.slow_javascript
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.e2e.test_waiting_clients import calls_at_work
from tests.e2e.vessels import Vessel, vessels
from tests.rpc.recipes import recipe

EXAMPLE = Path(__file__).parents[3] / "examples/sign_together.mjs"
OLDEST = 20
WITHOUT_WEBSOCKET = "data:text/javascript,delete globalThis.WebSocket"
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


async def output_of(*command: str) -> str:
    """What it prints; ends the program when it fails."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(150):
        said = (await process.communicate())[0].decode()
    if process.returncode != 0:
        raise SystemExit(f"the program failed:\n{said}")
    return said


async def signs(program: str, alice: Vessel, bob: Vessel, *options: str) -> None:
    """The example makes a signature."""
    said = await output_of(program, *options, str(EXAMPLE), str(alice.datadir), str(bob.datadir))
    if not re.search(r"^signature [0-9a-f]{128}$", said, re.MULTILINE):
        raise SystemExit(f"the example made no signature:\n{said}")
    print(said, end="")


async def waits_through_a_restart(program: str, alice: Vessel, bob: Vessel) -> None:
    """The recipe gets its signature though the daemon that it asks is away for a while."""
    keys = [(await each.wallet.call("createKey", scheme="lotus"))["publicKey"] for each in (alice, bob)]
    asked = {"requiredPublicKeys": keys, "publicKey": keys[0], "message": secrets.token_hex(32)}
    request = (await alice.wallet.call("announceSigningRequest", **asked))["requestId"]
    await bob.wallet.heard("signing-request:received", requestId=request)
    waiting = asyncio.ensure_future(output_of(*recipe("js", alice.datadir, request, program)))
    await calls_at_work(alice, 1)
    alice.send(signal.SIGTERM)
    await alice.ended()
    await alice.start([bob.multiaddr])
    await bob.wallet.call("joinSigningRequest", requestId=request, publicKey=keys[1])
    print(f"after a restart: signature {json.loads(await waiting)['signature']}")


async def main() -> None:
    program = node()
    with tempfile.TemporaryDirectory() as folder:
        async with vessels(Path(folder), 2) as (alice, bob):
            await signs(program, alice, bob)
            await signs(program, alice, bob, "--import", WITHOUT_WEBSOCKET)
            await waits_through_a_restart(program, alice, bob)


if __name__ == "__main__":
    asyncio.run(main())
