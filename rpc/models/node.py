"""The daemon itself, its peers, and its tokens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from rpc.caller import Scope
from rpc.models.values import Count, Label, Millis, MultiaddrText, PeerIdText, PublicKey, Reason, SchemeName
from rpc.models.wire import Change, Changed, Many, Params, Shown, later


def _check_scope(name: str) -> str:
    *first, last = Scope
    if name not in Scope.__members__.values():
        raise PydanticCustomError("no_such_scope", "{sentence}", {"sentence": f"must be {', '.join(first)} or {last}"})
    return name


# Another name is refused with a reason of its own, no_such_scope.
ScopeName = Annotated[
    str, AfterValidator(_check_scope), Field(json_schema_extra={"enum": [scope.value for scope in Scope]})
]
BanMs = Annotated[int, Field(ge=1, le=10 * 365 * 24 * 3600 * 1000)]


class KnownProblem(Shown):
    """Why the daemon cannot do all of its job, and what to do."""

    reason: str
    remedy: str
    until: Millis | None = Field(default=None, description="when it ends by itself, if that is known")


class InfoMappedPort(Shown):
    """A TCP port on which this daemon listens, and the port of the router that leads to it."""

    port: Count
    external_port: Count


class InfoPortMapping(Shown):
    """What the router was asked for (`p2p.port_mapping`), and says."""

    state: Literal["searching", "mapped", "failed"]
    gateway: str | None = Field(default=None, description="the router, its address in the local network")
    external_address: str | None = Field(
        default=None, description="its address on the other side, as it says; `multiaddrs` has what peers have reached"
    )
    ports: Many[InfoMappedPort]
    expires: Millis | None = Field(default=None, description="when it ends unless renewed; absent where it has no end")
    error: str | None = Field(default=None, description="what is wrong, a sentence")
    protocol: Literal["nat-pmp", "pcp", "upnp"] | None = Field(
        default=None, description="what the router speaks, while it has mapped the ports"
    )


class InfoReachability(Shown):
    """Whether others can dial this daemon: peers are asked to dial it back."""

    verdict: Literal["unknown", "public", "private"] = Field(description="private: nobody can dial it")
    how: str = Field(description="how it was found out, a sentence")
    asked: Count = Field(description="peers whose answers count, each from another address range")
    reached: Count = Field(description="those of them that could dial it")
    relays: Many[str] = Field(description="peer ids of the relays through which it is reached")
    port_mapping: InfoPortMapping | None = Field(default=None, description="absent where no router is asked")


class Info(Shown):
    """State of the daemon. `nextSeq` and `logId` are where to start following events from."""

    version: str
    api_version: Count
    network: str
    peer_id: str
    multiaddrs: Many[str]
    peers: Count
    uptime: Millis
    schemes: Many[SchemeName]
    schema_version: Count
    locked: bool
    ready: bool
    problems: Many[KnownProblem]
    next_seq: Count
    log_id: str
    time: Millis
    limits: dict[str, Count]
    reachability: InfoReachability = later()


SettingValue = bool | int | str | Many[str] | None


class WaitingSetting(Shown):
    """What flags, environment and file say of a setting by now."""

    value: SettingValue = Field(default=None, description="absent where it is unset")
    origin: str
    by_reload: bool = Field(description="true: SIGHUP takes it over; false: it waits for a restart")


class RunningSetting(Shown):
    """A setting as the daemon runs with it, and where it came from."""

    name: str
    value: SettingValue = Field(default=None, description="absent where it is unset")
    origin: str = Field(description="default, or the flag, the variable or the file")
    waiting: WaitingSetting | None = Field(default=None, description="there when a start would read another value")


class SettingsInForce(Shown):
    """Every setting, in the order of the sample file."""

    settings: Many[RunningSetting]
    problem: str | None = Field(default=None, description="why a restart would fail: the settings cannot be read")


class Peer(Shown):
    """A connected peer, and the public keys known to sign there."""

    peer_id: str
    multiaddrs: Many[str]
    direction: Literal["inbound", "outbound"]
    since: Millis
    agent: str | None = None
    relay: str | None = Field(default=None, description="peer id of the relay through which it is connected")
    public_keys: Many[PublicKey]


class PeerList(Shown):
    """Connected peers."""

    peers: Many[Peer]


class ConnectPeer(Change):
    """Dials a peer; the address ends in /p2p/<peerId>."""

    multiaddr: MultiaddrText = Field(description="or a pairing link, musigd://pair?...")


class NamePeer(Change):
    """Names a peer."""

    peer_id: PeerIdText


class NamedPeer(Changed):
    """The peer this happened to."""

    peer_id: str


class ConnectedPeer(NamedPeer):
    """The peer, which is connected now."""

    already_connected: bool = Field(
        description="true: it is connected, but not by this address, which was not tried to the end and is not kept"
    )


class BanPeer(Change):
    """Refuses a peer for a while."""

    peer_id: PeerIdText
    duration_ms: BanMs
    reason: Reason | None = None


class Ban(Shown):
    """A ban in force."""

    peer_id: str
    until: Millis
    reason: str | None = None


class Banned(Ban, Changed):
    """The ban as it now stands."""


class BanList(Shown):
    """Bans in force."""

    bans: Many[Ban]


class CreateToken(Params):
    """A token for a wallet. Its answer is a secret, so it takes no idempotency key."""

    scopes: Annotated[Many[ScopeName], Field(min_length=1, max_length=len(Scope))]
    public_keys: Annotated[Many[PublicKey], Field(max_length=1_000)] | None = Field(
        default=None, description="binds the token to these keys; absent: every key"
    )
    create_key: bool = Field(default=False, description="it may create keys, and is bound to them")
    label: Label | None = None
    expires_at: Millis | None = None


class TokenMade(Changed):
    """The token, shown this once."""

    token_id: str
    token: str


class Token(Shown):
    """A token in force, without the token."""

    token_id: str
    scopes: Many[ScopeName]
    public_keys: Many[PublicKey] | None = None
    create_key: bool
    label: str
    created_at: Millis
    expires_at: Millis | None = None


class TokenList(Shown):
    """Tokens in force."""

    tokens: Many[Token]


class RevokeToken(Change):
    """Ends a token, and with it the connections that use it."""

    token_id: Annotated[str, Field(min_length=1, max_length=64)]


class Revoked(Changed):
    """It is revoked."""

    revoked: bool


class Rights(Shown):
    """What a token may do, so that a program offers nothing that would be refused."""

    scopes: Many[ScopeName] = Field(description="with those that each of them includes")
    public_keys: Many[PublicKey] | None = Field(default=None, description="the keys it is bound to; absent: every key")
    create_key: bool
    methods: Many[str] = Field(description="the methods that it may call, in the order of rpc.discover")


class OpenRpc(Shown):
    """An OpenRPC document."""

    openrpc: str
    info: dict[str, Any]
    methods: Many[Any]
    components: dict[str, Any] | None = None
    events: dict[str, Any] | None = Field(default=None, alias="x-events", description="every event, and its data")


class AddContact(Change):
    """Keeps a signer, in place of what was known of this key."""

    link: MultiaddrText = Field(description="musigd://pair?..., as musig-cli pair shows it")
    nickname: Label | None = Field(default=None, description="instead of the one in the link")


class NameContact(Change):
    """Names a contact."""

    public_key: PublicKey


class Contact(Shown):
    """A signer whom the owner knows. The nickname is the link's, or the owner's own."""

    public_key: PublicKey
    scheme: SchemeName
    nickname: str | None = None
    peer_id: str
    multiaddrs: Many[str]
    since: Millis


class ContactAdded(Contact, Changed):
    """The contact as it is kept."""

    connected: bool = Field(description="whether the daemon of the contact could be reached just now")


class ContactList(Shown):
    """Contacts, by nickname."""

    contacts: Many[Contact]


class ContactRemoved(Changed):
    """It is no contact."""

    public_key: PublicKey
    removed: bool
