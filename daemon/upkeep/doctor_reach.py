"""For `musigd doctor`: ports, proxy, and what a running daemon says: its problems, and how it is seen from outside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from config.values import HostPort
from daemon.host.own_socket import reasons_not_ready
from musigd_client import Client, ClientError
from musigd_client.endpoint import DataDir

PATIENCE_S: Final = 5.0
PROXY_S: Final = 3.0
TOLD_BY_THE_CLOCK: Final = ("clock_was_ahead",)
WITHOUT_A_WAY: Final = ("not_reachable", "proxy_unreachable")
NOT_A_PROXY: Final = "Start the proxy (Tor: `systemctl start tor`), or correct p2p.socks5."


def ports_of(multiaddrs: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Host and TCP port of each address that names both."""
    for address in multiaddrs:
        parts = address.split("/")
        if len(parts) >= 5 and parts[1] in {"ip4", "ip6"} and parts[3] == "tcp" and parts[4].isdigit():
            yield parts[2], int(parts[4])


def proxy_fault(proxy: HostPort) -> tuple[str, str] | None:
    """(what is wrong, remedy), or None where a SOCKS5 proxy answers."""
    try:
        with socket.create_connection((proxy.host, proxy.port), timeout=PROXY_S) as connection:
            connection.sendall(b"\x05\x02\x00\x02")  # both logins: without, and with a password
            answer = connection.recv(2)
    except OSError as error:
        return f"p2p.socks5: nothing answers at {proxy} ({error.strerror or 'in time'}).", NOT_A_PROXY
    if answer[:1] != b"\x05":
        return f"p2p.socks5: what answers at {proxy} is no SOCKS5 proxy.", NOT_A_PROXY
    return None


def info_of(datadir: Path) -> dict[str, Any] | None:
    """`getInfo` of the daemon that runs here; None if none answers."""
    try:
        return asyncio.run(_info(datadir))
    except (ClientError, TimeoutError, OSError, ValueError):
        return None


def other_problems(told: Mapping[str, Any], socket_file: Path) -> Iterator[tuple[str, str]]:
    """(reason, remedy) of each problem in `getInfo` that no other check has told."""
    elsewhere = {*WITHOUT_A_WAY, *TOLD_BY_THE_CLOCK, *dict(reasons_not_ready(socket_file))}
    yield from ((each["reason"], each["remedy"]) for each in told["problems"] if each["reason"] not in elsewhere)


def seen_from_outside(told: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """(verdict, how it was found, remedy or ""), from `getInfo`; None if the daemon does not know."""
    found: dict[str, Any] | None = told.get("reachability")
    if found is None:  # a daemon from before it, which still runs
        return None
    remedy = next((each["remedy"] for each in told["problems"] if each["reason"] in WITHOUT_A_WAY), "")
    through = len(found["relays"])
    how = found["how"] + (f" It is reached through {through} relays." if through else "")
    return found["verdict"], how + mapping_told(found.get("portMapping")), remedy


def mapping_told(mapping: Mapping[str, Any] | None) -> str:
    """What the router does, as a sentence; "" where it is not asked, or where that is a problem."""
    if mapping is None or mapping["state"] != "mapped" or mapping.get("error"):
        return ""
    where = mapping.get("externalAddress", "its address")
    ports = ", ".join(f"{where}:{each['externalPort']} to port {each['port']}" for each in mapping["ports"])
    return f" The router {mapping['gateway']} forwards {ports}."


async def _info(datadir: Path) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S), Client(DataDir(datadir, by_socket=True), patience_s=0) as client:
        told: dict[str, Any] = await client.call("getInfo")
        return told
