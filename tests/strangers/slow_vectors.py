"""The protocol's vectors judged by other programs, which have only docs/protocol.md and other people's libraries.

`vectors.mjs` computes everything with libraries; `peer/vectors_test.mjs` is what the JavaScript peer tests itself with.

python -m tests.strangers.slow_vectors
"""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from musig2.protocol.vectors import vectors
from tests.clients.typescript.node_programs import node
from tests.strangers.stranger import VECTORS, installed

PEERS_OWN = "vectors_test.mjs"
JUDGES = ("vectors.mjs", PEERS_OWN)


def altered(judge: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each with one thing changed that only a judge who computes finds."""
    for name in ("session_lotus", "session_bip340"):
        for member in ("secretNonces", "pubnonces", "partialSignatures"):
            wrong = copy.deepcopy(vectors())
            rows = wrong[name]["items"][0][member]
            rows[0], rows[1] = rows[1], rows[0]
            yield f"{name}, {member}", wrong
        wrong = copy.deepcopy(vectors())
        wrong[name]["items"][1]["signature"] = wrong[name]["items"][0]["signature"]
        yield f"{name}, signature", wrong
    if judge == PEERS_OWN:
        wrong = copy.deepcopy(vectors())
        wrong["evidence_bip340"]["cases"][-1]["proves"] = None
        yield "what evidence proves", wrong
        wrong = copy.deepcopy(vectors())
        wrong["transaction_lotus"]["messages"].reverse()
        yield "the hashes of a transaction", wrong
        wrong = copy.deepcopy(vectors())
        wrong["hubs"]["order"].reverse()
        yield "the order of hubs", wrong
    wrong = copy.deepcopy(vectors())
    wrong["join"]["envelope"] = wrong["join"]["envelope"][:-2] + "00"
    yield "a countersignature", wrong


def judged(program: str, folder: Path, judge: str, what: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [program, str(folder / judge)]
    return subprocess.run(command, input=json.dumps(what), capture_output=True, text=True, check=False)


def main() -> None:
    program, folder = node(), installed(*VECTORS)
    for judge in JUDGES:
        found = judged(program, folder, judge, vectors())
        if found.returncode != 0:
            raise SystemExit(f"the vectors do not hold:\n{found.stderr}")
        print(found.stdout, end="")
        for what, wrong in altered(judge):
            if judged(program, folder, judge, wrong).returncode == 0:
                raise SystemExit(f"{judge} did not see that something was changed: {what}")
        print(f"{judge} sees what was changed")


if __name__ == "__main__":
    main()
