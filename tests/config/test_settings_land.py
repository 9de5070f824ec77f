"""Every setting reaches the field that is named for it, and no other: each is changed alone, and what follows is read.

A setting that no part below the composition root is told is listed with the file that reads it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from config.settings import Settings, setting_names
from daemon.limits import discovery_limits, network_config, rpc_config, signing_limits

PARTS: dict[str, Callable[[Settings], Any]] = {
    "p2p": lambda settings: network_config(settings, "1"),
    "discovery": discovery_limits,
    "signing": signing_limits,
    "rpc": lambda settings: rpc_config(settings, "1", Path("socket")),
}
WIRE = ("discovery.checks", "signing.wire")
NO_MORE = object()  # of a field that is a part with fields of its own now
ADDRESS = ("/ip4/10.0.0.1/tcp/9",)

# Another value of a setting, and the fields that change with it.
LANDINGS: dict[str, tuple[Any, set[str]]] = {
    "network": ("elsewhere", {"p2p.network", "rpc.network"}),
    "rpc.listen": ("127.0.0.2:9", {"rpc.host", "rpc.port"}),
    "rpc.tls_cert": (Path("cert"), {"rpc.tls_cert"}),
    "rpc.tls_key": (Path("key"), {"rpc.tls_key"}),
    "rpc.allowed_hosts": (("wallet.example",), {"rpc.allowed_hosts"}),
    "rpc.allowed_origins": (("https://wallet.example",), {"rpc.allowed_origins"}),
    "p2p.listen": (ADDRESS, {"p2p.listen"}),
    "p2p.announce": (ADDRESS, {"p2p.announce"}),
    "p2p.bootstrap": (ADDRESS, {"p2p.bootstrap", "p2p.mdns"}),  # mDNS only where there is nobody to start from
    "p2p.mdns": (False, {"p2p.mdns"}),
    "p2p.dht": (False, {"p2p.dht"}),
    "p2p.private_addresses": (True, {"p2p.private_addresses", "discovery.private_ranges"}),
    "p2p.socks5": ("[::1]:9", {"p2p.proxy", "p2p.mdns", "p2p.dial_timeout_ms", "p2p.upgrade_timeout_ms"}),
    "p2p.relay_service": (True, {"p2p.relay_service"}),
    "p2p.relay_client": ("always", {"p2p.relay_client"}),
    "p2p.port_mapping": ("upnp", {"p2p.port_mapping"}),
    "limits.advertisement_bytes": (
        60_001,
        {f"{part}.advertisement_bytes" for part in WIRE} | {"p2p.max_gossip_bytes"},
    ),
    "limits.skew_ms": (7, {f"{part}.skew_ms" for part in WIRE}),
    "limits.interval_ms": (7, {"discovery.interval_ms"}),
    "limits.invalid_signatures": (7, {"p2p.ban_after"}),
    "limits.ban_ms": (7, {"p2p.ban_ms"}),
    "limits.request_bytes": (7, {f"{part}.request_bytes" for part in WIRE}),
    "limits.ttl_ms": (7, {"discovery.ttl_ms", "signing.default_ttl_ms"}),
    "limits.max_ttl_ms": (7, {f"{part}.max_ttl_ms" for part in WIRE}),
    "limits.round_ms": (7, {"signing.round_ms"}),
    "limits.broadcast_ms": (7, {"signing.broadcast_ms"}),
    "limits.items_times_signers": (7, {f"{part}.items_times_signers" for part in WIRE}),
    "limits.max_attempts": (7, {"signing.max_attempts"}),
    "limits.advertisements": (7, {"discovery.advertisements"}),
    "limits.advertisements_per_peer": (7, {"discovery.advertisements_per_peer"}),
    "limits.notices": (7, {"discovery.notices"}),
    "limits.notices_per_peer": (7, {"discovery.notices_per_peer"}),
    "limits.pinned_keys": (("02" + "ab" * 32,), {"discovery.pinned_keys"}),
    "limits.unsolicited_per_peer": (7, {"signing.unsolicited_per_peer"}),
    "limits.unsolicited_total": (7, {"signing.unsolicited_total"}),
    "limits.connections": (7, {"p2p.max_connections"}),
    "limits.kept_connections": (7, {"p2p.kept_connections"}),
    "limits.relay_reservations": (7, {"p2p.relay_reservations"}),
    "limits.relay_bytes_per_second": (1_600, {"p2p.relay_rate", "p2p.relay_peer_rate"}),
    "limits.rpc_body_bytes": (7, {"rpc.max_body_bytes"}),
    "limits.rpc_calls_per_second": (7, {"rpc.calls_per_second"}),
    "limits.rpc_calls_at_once": (7, {"rpc.max_calls_at_once"}),
    "limits.rpc_connections": (7, {"rpc.max_connections"}),
    "store.keep_finished": (7, {"signing.keep_finished_ms"}),
}

READ_BY = {
    "drain_ms": "daemon/app.py",
    "log.level": "daemon/commands/run.py",
    "log.format": "daemon/commands/run.py",
    "rpc.cookie_group": "daemon/contact.py",
    "rpc.webhook_private_addresses": "daemon/app.py",
    "p2p.socks5_login": "daemon/limits.py",
    "keys.passphrase_file": "daemon/app.py",
    "policy.file": "daemon/app.py",
    "policy.show_considering": "daemon/app.py",
    "store.keep_events": "daemon/app.py",
    "store.keep_audit": "daemon/app.py",
}


def changed(settings: BaseModel, name: str, value: Any) -> Any:
    """These settings with another value of one, past the checks between two settings."""
    section, _, leaf = name.rpartition(".")
    if section:
        leaf, value = section, changed(getattr(settings, section), leaf, value)
    return settings.model_copy(update={leaf: value})


def leaves(config: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every field of a configuration as `part.name`, those of the configurations inside it too."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value, f"{prefix}.{field.name}")
        else:
            yield f"{prefix}.{field.name}", value


def landed(settings: Settings) -> dict[str, Any]:
    return {name: value for part, make in PARTS.items() for name, value in leaves(make(settings), part)}


@pytest.mark.parametrize("name", LANDINGS)
def test_a_setting_reaches_its_own_fields_and_no_other(name: str) -> None:
    value, expected = LANDINGS[name]
    before, after = landed(Settings()), landed(changed(Settings(), name, value))
    assert {field for field in before if before[field] != after.get(field, NO_MORE)} == expected


@pytest.mark.parametrize("name", READ_BY)
def test_a_setting_of_no_part_is_read_where_it_is_said_to_be(name: str) -> None:
    assert f"settings.{name}" in Path(READ_BY[name]).read_text(encoding="utf-8")


def test_every_setting_is_followed() -> None:
    assert set(setting_names()) == {*LANDINGS, *READ_BY}
    assert not set(LANDINGS) & set(READ_BY)
