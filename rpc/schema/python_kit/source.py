"""What every generated file has: its head, imports of what its text uses, and the format of the project."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

KIT: Final = Path(__file__).parents[3] / "clients" / "python" / "musigd_client"
WIDTH: Final = 116
_STANDARD: Final[Mapping[str, tuple[str, ...]]] = {
    "collections.abc": ("Mapping", "Sequence"),
    "typing": ("Any", "ClassVar", "Literal"),
}


def file_text(path: str, doc: str, body: str, own: Mapping[str, Iterable[str]]) -> str:
    """The whole text. `own`: the names that the kit's modules have; only those are imported that `body` uses."""
    imports = [_imports(module, names, body) for module, names in (*_STANDARD.items(), *own.items())]
    written = "Written by `python -m rpc.schema.python_kit`."
    head = f'"""{doc}\n\n{written}\n"""\n\nfrom __future__ import annotations\n'
    return formatted(path, "\n".join([head, *filter(None, imports), "", body]))


def _imports(module: str, names: Iterable[str], body: str) -> str:
    used = [name for name in sorted(names) if re.search(rf"\b{name}\b", body)]
    return f"from {module} import {', '.join(used)}" if used else ""


def formatted(path: str, text: str) -> str:
    """As the formatter of this project writes it, imports in order."""
    for step in (["check", "--quiet", "--fix", "--select", "I"], ["format", "--quiet"]):
        command = [sys.executable, "-m", "ruff", *step, "--stdin-filename", str(KIT / path), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    return text


def docstring(text: str, indent: str = "    ") -> str:
    """Paragraphs, each as wide as a line may be; a list item (`- `) hangs."""
    lines = [line for paragraph in text.strip().split("\n") for line in _filled(paragraph, WIDTH - len(indent))]
    if len(lines) == 1:
        return f'{indent}"""{lines[0]}"""'
    return f'{indent}"""' + "\n".join((indent + line).rstrip() for line in lines).strip() + f'\n{indent}"""'


def _filled(paragraph: str, width: int) -> list[str]:
    hang = "  " if paragraph.startswith("- ") else ""
    return textwrap.wrap(paragraph, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False) or [
        ""
    ]
