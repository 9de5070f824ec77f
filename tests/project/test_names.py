"""A class name has one meaning in the whole program."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.project.test_sizes import PACKAGES, PROJECT, sources

# Models of the API, and their types as JSON, are called as what they show: a record, a session, a spend path.
MODELS = ("rpc/models/", "rpc/answers.py")


def is_port(node: ast.ClassDef) -> bool:
    """A Protocol is called as what implements it."""
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)


def test_a_class_name_means_one_thing() -> None:
    places: defaultdict[str, list[Path]] = defaultdict(list)
    for path in (path for top in PACKAGES for path in sources(top)):
        if path.as_posix().startswith(MODELS):
            continue
        for node in ast.walk(ast.parse((PROJECT / path).read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not is_port(node):
                places[node.name].append(path)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}, "one of them needs another name"
