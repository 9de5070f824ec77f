"""The programs of docs/wallets.md section 9, one per language, made to be run for one request."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/wallets.md"
PRINTED = {
    "python": "print(json.dumps(final_signature({datadir!r}, {request!r})))",
    "js": "console.log(JSON.stringify(await finalSignature({datadir!r}, {request!r})));",
    "sh": "final_signature {datadir!r} {request!r}",
}


def recipe(language: str, datadir: Path, request: str, node: str = "node") -> list[str]:
    """The command that prints the final signature of that request as JSON."""
    section = PAGE.read_text().partition("## 9. ")[2]
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    program = block + PRINTED[language].format(datadir=str(datadir), request=request)
    command = {"python": [sys.executable, "-c"], "js": [node, "--input-type=module", "-e"], "sh": ["sh", "-euc"]}
    return [*command[language], program]
