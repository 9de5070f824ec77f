"""Writes docs/limits.md: `python -m tests.project.limits_page`. A test holds the page to the code.

Every number comes from where it is enforced, so none is written twice.
"""

# ruff: noqa: E501  # rows of tables are read side by side

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from config.settings import Settings
from daemon.access.idempotency import KEPT_MS
from daemon.discovery.api.follows import MOST_TYPES
from daemon.events import MOST_BYTES
from musig2.protocol.records import field_rules
from rpc.calls import dispatch, envelope
from rpc.config import RpcConfig
from rpc.events import methods as event_methods
from rpc.events import socket
from rpc.methods.table import METHODS
from rpc.models import open as metadata
from rpc.models.values import MAX_INTEGER
from rpc.server.connection import UNKNOWN_AT_ONCE, UNKNOWN_PER_SECOND

PAGE: Final = Path(__file__).parents[2] / "docs/limits.md"
CONFIG: Final = RpcConfig()
COLUMNS: Final = "| what | at most | refused with |\n|---|---|---|\n"

_HEAD: Final = """# Limits

Written by `python -m tests.project.limits_page` from the code that enforces them. What a setting names can be changed
([musigd.toml](musigd.toml)); the rest is fixed. Every refusal names the field or the setting.

"""


def bound(method: str, param: str, keyword: str) -> int:
    """A keyword such as `maxLength` of the JSON schema of that parameter; `a.b` goes into objects."""
    schema: Any = METHODS[method].params.model_json_schema()
    defs = schema.get("$defs", {})
    for name in param.split("."):
        schema = _object_in(schema, defs)["properties"][name]
    return int(next(each[keyword] for each in _branches(schema, defs) if keyword in each))


def _branches(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    yield schema
    for branch in schema.get("anyOf", ()):
        yield from _branches(branch, defs)


def _object_in(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(each for each in _branches(schema, defs) if "properties" in each)


def characters(method: str, param: str) -> str:
    """The longest text of a parameter."""
    return f"{bound(method, param, 'maxLength'):,} characters"


def items(method: str, param: str) -> str:
    """The longest array of a parameter."""
    least = _least(method, param)
    return f"{f'{least} to ' if least else ''}{bound(method, param, 'maxItems'):,}"


def _least(method: str, param: str) -> int:
    try:
        return bound(method, param, "minItems")
    except StopIteration:
        return 0


def span(method: str, param: str) -> str:
    """From the least to the largest number of a duration."""
    return f"{_time(bound(method, param, 'minimum'))} to {_time(bound(method, param, 'maximum'))}"


def _time(value_ms: int) -> str:
    for unit, size in (("days", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if value_ms % size == 0 and value_ms // size > (unit == "days"):
            return f"{value_ms // size:,} {unit}"
    return f"{value_ms:,} ms"


def _size(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size and count % size == 0:
            return f"{count // size} {unit}"
    return f"{count:,} bytes"


def page() -> str:
    """The text of docs/limits.md."""
    parts = [
        _HEAD,
        _table("One message to the daemon", _messages()),
        _table("Parameters", _parameters()),
        _table("Metadata and criteria", _metadata()),
        _table("What records from peers may hold", _records()),
        _kept(),
        _settings(),
        _keyless(),
    ]
    return "\n".join(parts)


def _table(title: str, rows: Iterable[tuple[str, str, str]]) -> str:
    return f"## {title}\n\n{COLUMNS}" + "".join(f"| {what} | {most} | {reason} |\n" for what, most, reason in rows)


def _messages() -> list[tuple[str, str, str]]:
    limits = Settings().limits
    return [
        ("body of a call or a batch", f"{_size(limits.rpc_body_bytes)}, `limits.rpc_body_bytes`", "`too_large` (413)"),
        ("calls in a batch", str(CONFIG.max_batch), "`too_many`"),
        ("answers to a batch, together", _size(dispatch.MAX_REPLY_BYTES), "`too_large` for the calls left over"),
        ("nesting of the JSON", f"{envelope.MAX_DEPTH} levels", "`invalid_request`"),
        ("a whole number anywhere", f"2^53 - 1 = {MAX_INTEGER}; no fractions", "`invalid_params`"),
        (
            "answers over a connection without a valid token, per second",
            f"{UNKNOWN_PER_SECOND}, {UNKNOWN_AT_ONCE} at once",
            "they wait",
        ),
        ("calls of one token per second", f"{limits.rpc_calls_per_second:,}, `limits.rpc_calls_per_second`", "`rate_limited`"),
        ("calls at work", f"{limits.rpc_calls_at_once:,}, `limits.rpc_calls_at_once`; a quarter for one token", "`busy`"),
        ("calls at work on one WebSocket", str(socket._MAX_CALLS), "the others wait"),
        ("connections", f"{limits.rpc_connections:,}, `limits.rpc_connections`", "closed"),
        ("subscriptions of one WebSocket", str(CONFIG.max_subscriptions), "`too_many`"),
        ("unread events of one subscriber", _size(CONFIG.max_backlog_bytes), "closed with 1013; resume"),
        ("a page of `getEvents`", f"{bound('getEvents', 'limit', 'maximum'):,} events or {_size(event_methods._PAGE_BYTES)}", "ask on from `nextSeq`"),
        ("`waitMs`", _time(bound("getFinalSignature", "waitMs", "maximum")), "`invalid_params`"),
        ("a page of any other list", f"{bound('listSessions', 'limit', 'maximum')}", "`invalid_params`"),
    ]  # fmt: skip  # a table


def _parameters() -> list[tuple[str, str, str]]:
    limits = Settings().limits
    refused = "`invalid_params`"
    announce = "announceSigningRequest"
    return [
        ("`requiredPublicKeys`", items(announce, "requiredPublicKeys"), refused),
        ("`messages`", items(announce, "messages"), refused),
        ("messages times signers", f"{limits.items_times_signers:,}, `limits.items_times_signers`", "`too_many`"),
        ("`tweaks` of one message", items(announce, "tweaks"), refused),
        ("a request as it travels", f"{_size(limits.request_bytes)}, `limits.request_bytes`", "`too_large`"),
        ("an advertisement as it travels", f"{_size(limits.advertisement_bytes)}, `limits.advertisement_bytes`", "`too_large`"),
        ("`ttl` of requests and advertisements", span(announce, "ttl"), refused),
        ("`roundMs`", span(announce, "roundMs"), refused),
        ("`election.broadcastTimeoutMs`", span(announce, "election.broadcastTimeoutMs"), refused),
        ("`publicKeys` of `aggregateKeys`", items("aggregateKeys", "publicKeys"), refused),
        ("`publicKeys` of a token", items("createToken", "publicKeys"), refused),
        ("`label`", characters("createKey", "label"), refused),
        ("`reason`", f"{characters('declineSigningRequest', 'reason')} and {field_rules.MAX_TEXT_BYTES} bytes in UTF-8", refused),
        ("`idempotencyKey`", "1 to 64 printable ASCII characters", refused),
        ("transaction types that a token follows", str(MOST_TYPES), "`too_many`"),
        ("names in `events` of `subscribe`", items("subscribe", "events"), refused),
        ("`durationMs` of `banPeer`", span("banPeer", "durationMs"), refused),
    ]  # fmt: skip  # a table


def _metadata() -> list[tuple[str, str, str]]:
    refused = "`invalid_params`"
    return [
        ("nesting of `metadata`", f"{metadata.MAX_DEPTH} levels", refused),
        ("a name in it", f"1 to {metadata.MAX_NAME_BYTES} bytes", refused),
        ("a value in it", "text, true, false, null, a whole number from 0 to 2^53 - 1, an array, an object", refused),
        ("text in it", "Unicode in normal form C, without control characters; as long as the record has room", refused),
        ("`nickname`", characters("advertiseSigner", "metadata.nickname"), refused),
        ("`description`, `purpose`", characters("advertiseSigner", "metadata.description"), refused),
        ("`transactionTypes`", f"{items('advertiseSigner', 'criteria.transactionTypes')}, each 1 to 32 of a-z, 0-9 and -", refused),
    ]  # fmt: skip  # a table


def _records() -> list[tuple[str, str, str]]:
    rules, limits = field_rules, Settings().limits
    dropped = "the record is dropped"
    return [
        ("addresses of a peer", f"{rules.MAX_ADDRS}, each {rules.MAX_ADDR_BYTES} bytes", dropped),
        ("tweaks of one message", str(rules.MAX_TWEAKS), dropped),
        ("a text, such as a reason", f"{rules.MAX_TEXT_BYTES} bytes", dropped),
        ("attempts of a request", f"{rules.MAX_ATTEMPTS}; {limits.max_attempts} of own ones, `limits.max_attempts`", dropped),
        ("proofs in an abort message", f"{rules.MAX_EVIDENCE}, each {_size(rules.MAX_EVIDENCE_BYTES)}", dropped),
        ("time stamp ahead of the own clock", f"{_time(limits.skew_ms)}, `limits.skew_ms`", dropped),
    ]  # fmt: skip  # a table


def _kept() -> str:
    store = Settings().store
    rows = (
        ("the audit log", f"{_time(store.keep_audit)}, `store.keep_audit`"),
        ("events", f"{_time(store.keep_events)}, `store.keep_events`, and never more than {_size(MOST_BYTES)}"),
        ("ended requests, their sessions and signatures", f"{_time(store.keep_finished)}, `store.keep_finished`"),
        ("answers to idempotency keys", f"{KEPT_MS // 3_600_000} h"),
    )
    return "## How long things are kept\n\n| what | how long |\n|---|---|\n" + "".join(
        f"| {a} | {b} |\n" for a, b in rows
    )


def _settings() -> str:
    limits = Settings().limits
    rows = "".join(
        f"| `limits.{name}` | {_default(getattr(limits, name))} | {field.description} |\n"
        for name, field in type(limits).model_fields.items()
    )
    return f"## The settings `limits.*`\n\n| setting | default | meaning |\n|---|---|---|\n{rows}"


def _default(value: Any) -> str:
    return "none" if value == () else f"{value:,}"


def _keyless() -> str:
    keyless = [f"`{method.name}`" for method in METHODS.values() if method.changes and not method.idempotent]
    return (
        "## Calls that take no `idempotencyKey`\n\n"
        f"Those that only read, and of those that change something {', '.join(keyless)}: they carry a\n"
        "secret, in params or answer, and no secret is stored. After a break look first whether it happened: `importKey` answers\n"
        "`already_exists`, `unlock` may be repeated, `listTokens` shows a token whose answer was lost (revoke it).\n"
    )


def main() -> None:
    """Writes the file."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
