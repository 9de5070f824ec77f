"""SQL has no imports that a contract could see: tables are named only in the package that they belong to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MIGRATIONS = PROJECT / "daemon" / "store" / "migrations"
OWNERS = {
    "daemon/discovery": ("0002_directory.sql",),
    "daemon/signing": ("0003_signing.sql", "0004_unwanted.sql"),
    "daemon/peers": ("0005_contacts.sql",),
    "daemon/policy": ("0006_policy.sql", "0009_approvals.sql", "0010_policy_returns.sql"),
    "daemon/webhooks": ("0007_webhooks.sql",),
    "daemon/audit": ("0008_audit.sql", "0011_audit_sequence.sql"),
}
OF_SEVERAL = "0001_base.sql"
CREATED = re.compile(r"CREATE TABLE (\w+)")
NAMED = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)")


def tables_of(owner: str) -> frozenset[str]:
    texts = ((MIGRATIONS / name).read_text(encoding="utf-8") for name in OWNERS[owner])
    return frozenset(table for text in texts for table in CREATED.findall(text))


def texts(source: str) -> Iterator[str]:
    """All string constants; pieces that stand side by side are one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else " ? " for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def named_in(source: str, tables: frozenset[str]) -> set[str]:
    """Which of these tables a file reads or writes; a name with an underscore stands for a table wherever it is."""
    found: set[str] = set()
    for text in texts(source):
        found.update(tables.intersection(NAMED.findall(text)))
        found.update(name for name in tables if "_" in name and re.search(rf"\b{name}\b", text))
    return found


def test_every_migration_that_makes_a_table_has_an_owner() -> None:
    makes = {path.name for path in MIGRATIONS.glob("*.sql") if CREATED.search(path.read_text(encoding="utf-8"))}
    owned = {name for names in OWNERS.values() for name in names if name in makes}
    assert makes == owned | {OF_SEVERAL}


@pytest.mark.parametrize("owner", OWNERS)
def test_tables_are_named_only_by_the_package_that_owns_them(owner: str) -> None:
    tables = tables_of(owner)
    assert tables
    others = [path for path in (PROJECT / "daemon").rglob("*.py") if not path.is_relative_to(PROJECT / owner)]
    named = {str(path.relative_to(PROJECT)): named_in(path.read_text(encoding="utf-8"), tables) for path in others}
    assert {path: names for path, names in named.items() if names} == {}


def test_a_join_in_a_text_of_several_pieces_is_seen() -> None:
    source = 'SQL = ("SELECT 1 FROM directory_log l"\n f" JOIN {x} reputation r" " JOIN signers s")'
    assert named_in(source, tables_of("daemon/discovery")) == {"directory_log", "signers"}
    assert named_in('"SELECT 1 FROM " "signing_keys"', tables_of("daemon/signing")) == {"signing_keys"}
