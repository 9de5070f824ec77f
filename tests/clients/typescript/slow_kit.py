"""The TypeScript client: types, unit tests, real daemons, and the example from the package as it is published.

Needs Node 20 or newer with npm, on the PATH or named by NODE, and npm's registry; Node 22 comes from there. Another
Node on the PATH (node22, node24) is tried too.

python -m tests.clients.typescript.slow_kit
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.clients.typescript.figures import figures
from tests.clients.typescript.node_programs import node, npm, output_of, run, version_of
from tests.e2e.test_waiting_clients import calls_at_work
from tests.e2e.vessels import Vessel, vessels
from tests.rpc.recipes import recipe

PROJECT = Path(__file__).parents[3]
PACKAGE = PROJECT / "clients/typescript"
EXAMPLE = PROJECT / "examples/sign_together.mjs"
NEWER = "node@22"
INDEPENDENT = ("@scure/btc-signer@2", "@noble/curves@2", "ws@8")
TYPED = """
import { Client, NotReadyError, type SigningRequest } from "musigd-client";
import { Client as NodeClient } from "musigd-client/node";

export async function asked(datadir: string): Promise<SigningRequest | undefined> {
  const client: Client = await NodeClient.connect({ datadir });
  for await (const event of client.events({ events: ["signing-request:received"] })) {
    if (event.event !== "events:gap") return event.data.request;
  }
}
export const isWaiting = (problem: unknown): boolean => problem instanceof NotReadyError;
"""
REQUIRED = """
const { Client, CallFailed } = require("musigd-client");
const { Client: NodeClient } = require("musigd-client/node");
if (!(new CallFailed(0, "", {}) instanceof Error) || !Client.connect || !NodeClient.connect) process.exit(1);
"""
RESOLUTIONS = (  # module, moduleResolution, file
    ("nodenext", "nodenext", "wallet.mts"),
    ("nodenext", "nodenext", "wallet.cts"),
    ("node16", "node16", "wallet.mts"),
    ("node16", "node16", "wallet.cts"),
    ("esnext", "bundler", "wallet.ts"),
)
OLDER_COMPILER = "typescript@5.4"


def newer_node(folder: Path) -> str:
    """Node 22, which has a WebSocket of its own, from npm's registry."""
    run([npm(), "install", "--silent", "--no-save", "--prefix", str(folder), NEWER], PROJECT)
    return str(folder / "node_modules/.bin/node")


def unit_tests(programs: Sequence[str]) -> None:
    """Types and tests, the tests under each Node."""
    run([npm(), "ci", "--silent"], PACKAGE)
    run([npm(), "run", "--silent", "check"], PACKAGE)
    tests = sorted(str(path) for path in (PACKAGE / "build/test/test").glob("*.test.js"))
    for program in programs:
        print(f"under Node {version_of(program)}", flush=True)
        run(
            [program, "--test", "--test-reporter=spec", *tests],
            PACKAGE,
            {"MUSIGD": str(Path(sys.executable).parent / "musigd")},
        )


def published(folder: Path) -> Path:
    """A directory with the example, and the package installed from its tarball beside independent libraries."""
    run([npm(), "pack", "--silent", "--pack-destination", str(folder)], PACKAGE)
    (tarball,) = folder.glob("musigd-client-*.tgz")
    wallet = folder / "a wallet"
    wallet.mkdir()
    (wallet / "package.json").write_text("{}")
    run([npm(), "install", "--silent", str(tarball), *INDEPENDENT], wallet)
    shutil.copy(EXAMPLE, wallet)
    return wallet / EXAMPLE.name


def typed_for_users(wallet: Path, folder: Path) -> None:
    """A wallet in strict TypeScript, old or new, finds the types, whichever way its project resolves modules."""
    for file in {file for _, _, file in RESOLUTIONS}:
        (wallet / file).write_text(TYPED)
    run([npm(), "install", "--silent", "--no-save", "--prefix", str(folder), OLDER_COMPILER], PROJECT)
    for compiler in (PACKAGE / "node_modules/.bin/tsc", folder / "node_modules/.bin/tsc"):
        for module, resolution, file in RESOLUTIONS:
            options: dict[str, Any] = {
                "module": module,
                "moduleResolution": resolution,
                "types": [],
                "target": "es2022",
            }
            options |= {"strict": True, "noEmit": True, "skipLibCheck": False}
            (wallet / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": [file]}))
            run([str(compiler), "-p", "."], wallet)


def required(program: str, wallet: Path) -> None:
    """A CommonJS program gets both parts by `require`."""
    (wallet / "required.cjs").write_text(REQUIRED)
    run([program, "required.cjs"], wallet)


async def signs(program: str, example: Path, alice: Vessel, bob: Vessel) -> None:
    """The example makes a signature, and the independent library agrees."""
    said = await output_of(program, str(example), str(alice.datadir), str(bob.datadir))
    if not re.search(r"^signature [0-9a-f]{128}$", said, re.MULTILINE):
        raise SystemExit(f"the example made no signature:\n{said}")
    print(f"Node {version_of(program)}: {said}", end="")


async def waits_through_a_restart(program: str, alice: Vessel, bob: Vessel) -> None:
    """The recipe of docs/wallets.md gets its signature though the daemon that it asks is away for a while."""
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
    with tempfile.TemporaryDirectory(prefix="typescript client ") as name:
        folder = Path(name)
        programs = [node(), newer_node(folder)]
        unit_tests(programs)
        example = published(folder)
        typed_for_users(example.parent, folder / "older compiler")
        for program in programs:
            required(program, example.parent)
        print(figures(example.parent, PACKAGE / "node_modules/.bin/esbuild", programs[0]))
        async with vessels(folder, 2) as (alice, bob):
            for program in programs:
                await signs(program, example, alice, bob)
            shutil.rmtree(example.parent / "node_modules/ws")  # Node 20 then reads events page by page
            await signs(programs[0], example, alice, bob)
            await waits_through_a_restart(programs[0], alice, bob)


if __name__ == "__main__":
    asyncio.run(main())
