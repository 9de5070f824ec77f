"""The protocol's vectors judged by `vectors.mjs`, which has only docs/protocol.md and other people's libraries.

python -m tests.strangers.slow_vectors
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from musig2.protocol.vectors import vectors
from tests.clients.typescript.node_programs import node, npm, run

JUDGE = Path(__file__).with_name("vectors.mjs")
LIBRARIES = ("@noble/curves@2", "@scure/btc-signer@2", "@bitauth/libauth@3", "cborg@4")


def altered() -> Iterator[tuple[str, dict[str, Any]]]:
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
    wrong = copy.deepcopy(vectors())
    wrong["join"]["envelope"] = wrong["join"]["envelope"][:-2] + "00"
    yield "a countersignature", wrong


def judged(program: str, folder: Path, what: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [program, str(folder / JUDGE.name)]
    return subprocess.run(command, input=json.dumps(what), capture_output=True, text=True, check=False)


def main() -> None:
    program = node()
    with tempfile.TemporaryDirectory(prefix="musigd strangers ") as name:
        folder = Path(name)
        (folder / "package.json").write_text("{}")
        run([npm(), "install", "--silent", *LIBRARIES], folder)
        shutil.copy(JUDGE, folder)
        found = judged(program, folder, vectors())
        if found.returncode != 0:
            raise SystemExit(f"the vectors do not hold:\n{found.stderr}")
        print(found.stdout, end="")
        for what, wrong in altered():
            if judged(program, folder, wrong).returncode == 0:
                raise SystemExit(f"nobody saw that something was changed: {what}")
            print(f"seen when changed: {what}")


if __name__ == "__main__":
    main()
