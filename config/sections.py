"""The sections of the settings: every one with its default and its meaning, which the sample file carries over."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from config.values import (
    Attempts,
    BootstrapAddresses,
    Count,
    File,
    HostPort,
    Hosts,
    Kept,
    ListenAddress,
    LogFormat,
    LogLevel,
    Millis,
    Multiaddrs,
    Origins,
    PortMapping,
    ProxyAddress,
    PublicKeys,
    RelayClient,
    is_loopback,
    parse_endpoint,
    parse_proxy,
    why_unmapped,
)

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Log(_Section):
    """What is logged, and how."""

    level: LogLevel = Field(
        default="info",
        description=(
            "What is logged: debug, info, warning or error, each with what is graver. debug is for looking for faults."
        ),
    )
    format: LogFormat = Field(
        default="console", description="console for people, or json: one object per line, for log collectors."
    )


class Rpc(_Section):
    """The listener for wallets."""

    listen: ListenAddress = Field(
        default="127.0.0.1:8327",
        description=(
            "Where wallets connect, as HOST:PORT; port 0 picks a free one, which endpoint.json names. Beyond "
            "loopback only with tls_cert and tls_key."
        ),
    )
    tls_cert: File | None = Field(
        default=None,
        description=(
            "File with the TLS certificate and its chain, PEM. Together with tls_key; without both there is no TLS, "
            "and to begin with it takes a restart."
        ),
        examples=["/etc/musigd/cert.pem"],
    )
    tls_key: File | None = Field(
        default=None, description="File with the private key of tls_cert, PEM.", examples=["/etc/musigd/key.pem"]
    )
    allowed_hosts: Hosts = Field(
        default=("localhost", "127.0.0.1", "::1"),
        description=(
            "Names, without a port, that the Host header of a call may have. Add the name under which others "
            "reach listen."
        ),
    )
    allowed_origins: Origins = Field(
        default=(),
        description=(
            "Web origins, such as https://wallet.example, whose pages may call. They get CORS; pages of other "
            "sites are refused."
        ),
    )
    cookie_group: str | None = Field(
        default=None,
        description="Group of this machine whose members may read the full-rights cookie and find the daemon.",
        examples=["musigd"],
    )
    webhook_private_addresses: bool = Field(
        default=False,
        description=(
            "Post webhooks to https addresses of private networks too. Without it they go to the open internet, and to "
            "this machine where their URL names it."
        ),
    )

    @property
    def endpoint(self) -> HostPort:
        return parse_endpoint(self.listen)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise PydanticCustomError("setting", "rpc.tls_cert and rpc.tls_key belong together: set both or none")
        if self.tls_cert is None and not self.endpoint.is_loopback:
            raise PydanticCustomError(
                "setting",
                "rpc.listen reaches beyond this machine: set rpc.tls_cert and rpc.tls_key, or listen on 127.0.0.1",
            )
        return self


class P2p(_Section):
    """The libp2p node."""

    listen: Multiaddrs = Field(
        default=("/ip4/0.0.0.0/tcp/4327",),
        description=(
            "Multiaddrs on which other daemons connect; port 0 picks a free one. Two daemons on one machine "
            "need different ones. /ip4/0.0.0.0/tcp/4328/ws takes WebSockets, as browsers and reverse proxies need; "
            "/ip6/::/tcp/4327 is IPv6."
        ),
    )
    announce: Multiaddrs = Field(
        default=(),
        description=(
            "Multiaddrs that others are told instead of those this host sees: its public address, behind a "
            "router or in a container; /dns4/NAME/tcp/443/wss, where a reverse proxy ends TLS; an /onion3 address."
        ),
    )
    bootstrap: BootstrapAddresses = Field(
        default=(),
        description=(
            "Daemons to start from, each a multiaddr that ends in /p2p/ and a peer id, as the multiaddrs of "
            "the other's getInfo; or /dnsaddr/NAME, whose TXT records name such multiaddrs and are looked up again "
            "from time to time."
        ),
    )
    mdns: bool = Field(
        default=True,
        description=(
            "Look for daemons in the local network. Used only without bootstrap and socks5; what it finds are private "
            "addresses, see private_addresses."
        ),
    )
    dht: bool = Field(
        default=True,
        description="Take part in the DHT, by which keys that the own directory does not know are looked up.",
    )
    private_addresses: bool = Field(
        default=False,
        description=(
            "Announce and dial private addresses too (10.0.0.0/8, 192.168.0.0/16 and so on): for a local "
            "network. On by itself where listen is loopback only."
        ),
    )

    socks5: ProxyAddress | None = Field(
        default=None,
        description=(
            "SOCKS5 proxy, such as Tor's, through which everything is dialled and names are looked up. Then no address "
            "of this host is told to anybody, and listen has to be 127.0.0.1, where a hidden service hands over; its "
            "/onion3 address goes into announce."
        ),
        examples=["127.0.0.1:9050"],
    )
    socks5_login: File | None = Field(
        default=None,
        description=(
            "File with USER:PASSWORD for socks5. Tor takes any, and keeps the connections of different ones apart."
        ),
        examples=["/etc/musigd/socks5"],
    )
    port_mapping: PortMapping = Field(
        default="off",
        description=(
            "auto: ask the router of the local network to forward the ports of listen to this machine, over IPv4, by "
            "NAT-PMP, PCP or UPnP, whichever it knows. natpmp (NAT-PMP or PCP), upnp: by that alone. Peers are told "
            "the address once one of them has reached it."
        ),
    )
    relay_service: bool = Field(
        default=False,
        description=(
            "Be a relay: carry the connections of daemons that nobody can dial, such as those behind a router. For a "
            "daemon with a public address. What is carried is encrypted; limits.relay_reservations and "
            "limits.relay_bytes_per_second bound it."
        ),
    )
    relay_client: RelayClient = Field(
        default="auto",
        description=(
            "When to be reached through relays: auto, where it is found that nobody can dial this daemon; always; or "
            "never."
        ),
    )

    @property
    def use_mdns(self) -> bool:
        return self.mdns and not self.bootstrap and self.socks5 is None

    @property
    def use_private_addresses(self) -> bool:
        """As set, and by itself when listening on loopback only, unless that is where a proxy hands over."""
        hosts = [address.split("/")[2] for address in self.listen]
        on_loopback = bool(hosts) and all(is_loopback(host) for host in hosts)
        return self.private_addresses or (on_loopback and self.socks5 is None)

    @property
    def proxy(self) -> HostPort | None:
        return None if self.socks5 is None else parse_proxy(self.socks5)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.socks5_login is not None and self.socks5 is None:
            raise PydanticCustomError(
                "setting", "p2p.socks5_login is for the proxy that p2p.socks5 names: set both, or none"
            )
        if self.port_mapping != "off" and (fault := why_unmapped(self.listen, self.socks5)):
            raise PydanticCustomError("setting", "{sentence}", {"sentence": f"p2p.port_mapping {fault}"})
        return self


class KeySettings(_Section):
    """How the keys are opened."""

    passphrase_file: File | None = Field(
        default=None,
        description=(
            "File with the passphrase that opens the keys. Without it: a systemd credential named passphrase, "
            "else a generated one in the data directory."
        ),
        examples=["/etc/musigd/passphrase"],
    )


class PolicySettings(_Section):
    """The owner's rules for what is signed."""

    file: File | None = Field(
        default=None,
        description=(
            "File with the rules. Without it: policy.toml in the data directory, and no rules where that is not there."
        ),
        examples=["/etc/musigd/policy.toml"],
    )
    show_considering: bool = Field(
        default=True,
        description="Whether the other signers hear that a request waits for its owner, where a rule asks.",
    )


class LimitSettings(_Section):
    """Bounds on what others may cost us. Sizes in bytes, times in milliseconds."""

    advertisement_bytes: Count = Field(
        default=10_000, description="Largest advertisement that is made or accepted, in bytes."
    )
    skew_ms: Count = Field(
        default=5 * MINUTE_MS,
        description="How far the time in a record may lie in the future, and in live messages in the past.",
    )
    interval_ms: Millis = Field(
        default=MINUTE_MS, description="Least time between two advertisements of one key; a withdrawal never counts."
    )
    invalid_signatures: Count = Field(
        default=10, description="Messages with a bad signature or encoding after which their peer is banned."
    )
    ban_ms: Count = Field(default=DAY_MS, description="How long such a ban lasts.")
    request_bytes: Count = Field(
        default=50_000,
        description=(
            "Largest signing request that is made or accepted, in bytes; most of it is metadata.transactionHex."
        ),
    )
    ttl_ms: Count = Field(
        default=DAY_MS, description="How long advertisements and requests are valid when the call gives no ttl."
    )
    max_ttl_ms: Count = Field(default=7 * DAY_MS, description="Longest validity that is accepted of others.")
    round_ms: Count = Field(
        default=10 * MINUTE_MS,
        description="How long an attempt to sign may take once all have joined, where the call gives no roundMs.",
    )
    broadcast_ms: Count = Field(
        default=5 * MINUTE_MS,
        description=(
            "How long the elected signer has to broadcast before it is the next one's turn, where the call "
            "does not say."
        ),
    )
    items_times_signers: Count = Field(default=1_000, description="Most messages times signers in one request.")
    max_attempts: Attempts = Field(
        default=5, description="Attempts to sign after which a request made here ends, 1 to 16."
    )
    advertisements: Count = Field(
        default=250_000,
        description="Advertisements kept in the directory; above that, the fullest groups of peers are evicted.",
    )
    advertisements_per_peer: Count = Field(default=100, description="Advertisements kept of the keys of one peer.")
    notices: Count = Field(default=50_000, description="Notices kept: that somebody is asked, without saying what.")
    notices_per_peer: Count = Field(default=200, description="Notices kept of one peer.")
    pinned_keys: PublicKeys = Field(
        default=(),
        description="Public keys of signers for whom no quota holds and whose advertisements are never evicted.",
    )
    unsolicited_per_peer: Count = Field(
        default=1_000, description="Open requests that one peer brought and no own key has joined."
    )
    unsolicited_total: Count = Field(default=10_000, description="The same of all peers together.")
    connections: Count = Field(default=300, description="Connections to other daemons.")
    kept_connections: Kept = Field(
        default=32,
        description="Connections above which this daemon closes those that it opened and does not use, down to three "
        "quarters of that; at least 8.",
    )
    relay_reservations: Count = Field(
        default=128, description="Daemons that may be reached through this one, where p2p.relay_service is on."
    )
    relay_bytes_per_second: Count = Field(
        default=4 * 1_048_576,
        description="What this daemon carries for others as a relay, in all; a sixteenth of it for each of them.",
    )
    rpc_body_bytes: Count = Field(default=1_048_576, description="Largest call or batch of calls, in bytes.")
    rpc_calls_per_second: Count = Field(default=20_000, description="Calls that one token may make per second.")
    rpc_calls_at_once: Count = Field(
        default=2_000, description="Calls at work at the same time; one token has at most a quarter of them."
    )
    rpc_connections: Count = Field(
        default=4_096, description="Connections of wallets, fewer where this process may not open as many files."
    )


class Storage(_Section):
    """How long things are kept."""

    keep_events: Millis = Field(default=7 * DAY_MS, description="How long events are kept, at most 1 GiB of them.")
    keep_audit: Millis = Field(
        default=3_650 * DAY_MS,
        description="How long lines of the audit log are kept; the chain stays whole.",
    )
    keep_finished: Millis = Field(
        default=30 * DAY_MS, description="How long requests are kept after they have ended, their signatures included."
    )
