"""The kinds of values that settings have, with the sentence for each wrong one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from config.text.lists import words_of


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host and a TCP port; port 0 picks a free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that host: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_endpoint(text: str) -> HostPort:
    """Read `HOST:PORT` or `[IPV6]:PORT`. Raises ValueError."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\s\[\]]+)):(\d{1,5})", text)
    if match is None or int(match[3]) > 65_535:
        raise ValueError("must be HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:8327")
    return HostPort(match[1] or match[2], int(match[3]))


def why_unmapped(listen: Iterable[str], socks5: str | None) -> str | None:
    """Why no router can forward ports to these multiaddrs; None: it can."""
    if socks5 is not None:
        return "opens a port to this host, which socks5 is to hide: set one of the two only"
    if all(is_loopback(address.split("/")[2]) for address in listen if address.startswith("/ip4/")):
        return "needs an address in listen that the router can reach, such as /ip4/0.0.0.0/tcp/4327"
    return None


def _said(check: Callable[[str], object]) -> AfterValidator:
    """A check by a function that raises ValueError with a sentence."""

    def validate(value: str) -> str:
        try:
            check(value)
        except ValueError as error:
            raise PydanticCustomError("setting", "{sentence}", {"sentence": str(error)}) from None
        return value

    return AfterValidator(validate)


def parse_proxy(text: str) -> HostPort:
    """Read `IP:PORT`. Raises ValueError, also for a name: to look it up would tell a name server of it."""
    try:
        endpoint = parse_endpoint(text)
        ipaddress.ip_address(endpoint.host)
    except ValueError:
        raise ValueError("must be IP:PORT, such as 127.0.0.1:9050; a login goes into p2p.socks5_login") from None
    if not endpoint.port:
        raise ValueError("must name the port of the proxy, such as 127.0.0.1:9050")
    return endpoint


def _check_network(value: str) -> None:
    if re.fullmatch("[a-z0-9-]{1,32}", value) is None:
        raise ValueError("must be 1 to 32 characters out of a-z, 0-9 and '-'")


def _check_multiaddr(value: str) -> None:
    if re.fullmatch(r"(/[^/\s]+){2,}", value) is None:
        raise ValueError("must be a multiaddr, such as /ip4/ADDRESS/tcp/4327")


def _check_bootstrap(value: str) -> None:
    named = value.startswith("/dnsaddr/") or "/p2p/" in value
    if re.fullmatch(r"(/[^/\s]+){2,}", value) is None or not named:
        raise ValueError(
            "must be a multiaddr that ends in /p2p/<peer id>, as the other's getInfo shows it, or /dnsaddr/NAME"
        )


def _check_origin(value: str) -> None:
    if re.fullmatch(r"https?://[^/\s]+", value) is None:
        raise ValueError("must be a web origin such as https://wallet.example, without a path")


def _check_pubkey(value: str) -> None:
    if re.fullmatch(r"0[23][0-9a-f]{64}", value) is None:
        raise ValueError("must be a compressed public key: 66 hex digits in lower case that begin with 02 or 03")


def _split(value: Any) -> Any:
    """A list may be one text, as in a variable, and each of its items too, as behind a flag that is repeated."""
    if isinstance(value, str):
        try:
            return tuple(words_of(value))
        except ValueError as error:
            raise PydanticCustomError("setting", "{sentence}", {"sentence": str(error)}) from None
    if isinstance(value, list | tuple):
        return tuple(word for item in value for word in (_split(item) if isinstance(item, str) else (item,)))
    return value


def _expanded(value: Path) -> Path:
    try:
        return value.expanduser()
    except RuntimeError:
        raise PydanticCustomError("setting", "is in no home directory of this machine: give the whole path") from None


def _not_empty(value: Any) -> Any:
    if value == "":
        raise PydanticCustomError("setting", "must be the path of a file")
    return value


_Listed = (NoDecode, BeforeValidator(_split))

NetworkName = Annotated[str, _said(_check_network)]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["console", "json"]
RelayClient = Literal["auto", "always", "never"]
PortMapping = Literal["off", "auto", "natpmp", "upnp"]
ListenAddress = Annotated[str, _said(parse_endpoint)]
ProxyAddress = Annotated[str, _said(parse_proxy)]
File = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_expanded)]
Hosts = Annotated[tuple[str, ...], *_Listed]
Origins = Annotated[tuple[Annotated[str, _said(_check_origin)], ...], *_Listed]
Multiaddrs = Annotated[tuple[Annotated[str, _said(_check_multiaddr)], ...], *_Listed]
BootstrapAddresses = Annotated[tuple[Annotated[str, _said(_check_bootstrap)], ...], *_Listed]
PublicKeys = Annotated[tuple[Annotated[str, _said(_check_pubkey)], ...], *_Listed]
Count = Annotated[int, Field(ge=1, le=2**53 - 1)]
Kept = Annotated[int, Field(ge=8, le=2**53 - 1)]
Attempts = Annotated[int, Field(ge=1, le=16)]
Millis = Annotated[int, Field(ge=0, le=2**53 - 1)]
