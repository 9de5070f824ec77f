"""What calls about node take and give.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from musigd_client.record import Record
from musigd_client.wire import Inner


class KnownProblem(Record):
    """Why the daemon cannot do all of its job, and what to do."""

    reason: str
    remedy: str
    until: int | None = None
    """when it ends by itself, if that is known"""


class InfoMappedPort(Record):
    """A TCP port on which this daemon listens, and the port of the router that leads to it."""

    port: int
    external_port: int


class InfoPortMapping(Record):
    """What the router was asked for (`p2p.port_mapping`), and says."""

    _inner: ClassVar[Inner] = {"ports": (InfoMappedPort,)}
    state: Literal["searching", "mapped", "failed"]
    gateway: str | None = None
    """the router, its address in the local network"""
    external_address: str | None = None
    """its address on the other side, as it says; `multiaddrs` has what peers have reached"""
    ports: tuple[InfoMappedPort, ...]
    expires: int | None = None
    """when it ends unless renewed; absent where it has no end"""
    error: str | None = None
    """what is wrong, a sentence"""
    protocol: Literal["nat-pmp", "pcp", "upnp"] | None = None
    """what the router speaks, while it has mapped the ports"""


class InfoReachability(Record):
    """Whether others can dial this daemon: peers are asked to dial it back."""

    _inner: ClassVar[Inner] = {"portMapping": (InfoPortMapping,)}
    verdict: Literal["unknown", "public", "private"]
    """private: nobody can dial it"""
    how: str
    """how it was found out, a sentence"""
    asked: int
    """peers whose answers count, each from another address range"""
    reached: int
    """those of them that could dial it"""
    relays: tuple[str, ...]
    """peer ids of the relays through which it is reached"""
    port_mapping: InfoPortMapping | None = None
    """absent where no router is asked"""


class Info(Record):
    """State of the daemon. `nextSeq` and `logId` are where to start following events from."""

    _inner: ClassVar[Inner] = {"problems": (KnownProblem,), "reachability": (InfoReachability,)}
    version: str
    api_version: int
    network: str
    peer_id: str
    multiaddrs: tuple[str, ...]
    peers: int
    uptime: int
    schemes: tuple[Literal["lotus", "bip340"], ...]
    schema_version: int
    locked: bool
    ready: bool
    problems: tuple[KnownProblem, ...]
    next_seq: int
    log_id: str
    time: int
    limits: Mapping[str, int]
    reachability: InfoReachability | None = None
    """absent in the answer of an older daemon"""


class WaitingSetting(Record):
    """What flags, environment and file say of a setting by now."""

    value: bool | int | str | tuple[str, ...] | None = None
    """absent where it is unset"""
    origin: str
    by_reload: bool
    """true: SIGHUP takes it over; false: it waits for a restart"""


class RunningSetting(Record):
    """A setting as the daemon runs with it, and where it came from."""

    _inner: ClassVar[Inner] = {"waiting": (WaitingSetting,)}
    name: str
    value: bool | int | str | tuple[str, ...] | None = None
    """absent where it is unset"""
    origin: str
    """default, or the flag, the variable or the file"""
    waiting: WaitingSetting | None = None
    """there when a start would read another value"""


class SettingsInForce(Record):
    """Every setting, in the order of the sample file."""

    _inner: ClassVar[Inner] = {"settings": (RunningSetting,)}
    settings: tuple[RunningSetting, ...]
    problem: str | None = None
    """why a restart would fail: the settings cannot be read"""


class Peer(Record):
    """A connected peer, and the public keys known to sign there."""

    peer_id: str
    multiaddrs: tuple[str, ...]
    direction: Literal["inbound", "outbound"]
    since: int
    agent: str | None = None
    relay: str | None = None
    """peer id of the relay through which it is connected"""
    public_keys: tuple[str, ...]


class PeerList(Record):
    """Connected peers."""

    _inner: ClassVar[Inner] = {"peers": (Peer,)}
    peers: tuple[Peer, ...]


class ConnectedPeer(Record):
    """The peer, which is connected now."""

    seq: int | None = None
    """position of the event log after the change"""
    peer_id: str
    already_connected: bool
    """true: it is connected, but not by this address, which was not tried to the end and is not kept"""


class NamedPeer(Record):
    """The peer this happened to."""

    seq: int | None = None
    """position of the event log after the change"""
    peer_id: str


class Ban(Record):
    """A ban in force."""

    peer_id: str
    until: int
    reason: str | None = None


class Banned(Ban):
    """The ban as it now stands."""

    seq: int | None = None
    """position of the event log after the change"""


class BanList(Record):
    """Bans in force."""

    _inner: ClassVar[Inner] = {"bans": (Ban,)}
    bans: tuple[Ban, ...]


class ContactAdded(Record):
    """The contact as it is kept."""

    seq: int | None = None
    """position of the event log after the change"""
    public_key: str
    scheme: Literal["lotus", "bip340"]
    nickname: str | None = None
    peer_id: str
    multiaddrs: tuple[str, ...]
    since: int
    connected: bool
    """whether the daemon of the contact could be reached just now"""


class Contact(Record):
    """A signer whom the owner knows. The nickname is the link's, or the owner's own."""

    public_key: str
    scheme: Literal["lotus", "bip340"]
    nickname: str | None = None
    peer_id: str
    multiaddrs: tuple[str, ...]
    since: int


class ContactList(Record):
    """Contacts, by nickname."""

    _inner: ClassVar[Inner] = {"contacts": (Contact,)}
    contacts: tuple[Contact, ...]


class ContactRemoved(Record):
    """It is no contact."""

    seq: int | None = None
    """position of the event log after the change"""
    public_key: str
    removed: bool


class TokenMade(Record):
    """The token, shown this once."""

    seq: int | None = None
    """position of the event log after the change"""
    token_id: str
    token: str


class Token(Record):
    """A token in force, without the token."""

    token_id: str
    scopes: tuple[Literal["read", "discover", "sign", "approve", "webhook", "admin"], ...]
    public_keys: tuple[str, ...] | None = None
    create_key: bool
    label: str
    created_at: int
    expires_at: int | None = None


class TokenList(Record):
    """Tokens in force."""

    _inner: ClassVar[Inner] = {"tokens": (Token,)}
    tokens: tuple[Token, ...]


class Revoked(Record):
    """It is revoked."""

    seq: int | None = None
    """position of the event log after the change"""
    revoked: bool


class AuditLine(Record):
    """One line. `hash` is over the line before, `seq`, `time` and the facts (docs/security.md)."""

    seq: int
    time: int
    what: str
    """`call`, `partial` or the name of an event"""
    facts: Mapping[str, Any]
    hash: str


class AuditPage(Record):
    """Lines in order. `anchor` is where the log stands: keep it elsewhere."""

    _inner: ClassVar[Inner] = {"lines": (AuditLine,)}
    lines: tuple[AuditLine, ...]
    next_seq: int
    anchor: str


class AuditVerified(Record):
    """`problem` says where it shows that it is not."""

    valid: bool
    lines: int | None = None
    """seq of the last line"""
    anchor: str | None = None
    problem: str | None = None
