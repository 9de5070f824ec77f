"""Every setting, its default and its meaning. `config.load` reads them; nothing here touches a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.values import (
    Attempts,
    BootstrapAddresses,
    Count,
    File,
    HostPort,
    Hosts,
    ListenAddress,
    LogFormat,
    LogLevel,
    Millis,
    Multiaddrs,
    NetworkName,
    Origins,
    PublicKeys,
    SchemeName,
    is_loopback,
    parse_endpoint,
)

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
DEFAULT = "default"


class SettingsError(Exception):
    """The settings cannot be used. The text is one sentence; `problems` holds one for each thing found."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__(problems[0])
        self.problems = problems


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Log(_Section):
    """What is logged, and how."""

    level: LogLevel = "info"
    format: LogFormat = "console"


class Rpc(_Section):
    """The listener for wallets."""

    listen: ListenAddress = "127.0.0.1:8327"
    tls_cert: File | None = None
    tls_key: File | None = None
    allowed_hosts: Hosts = ("localhost", "127.0.0.1", "::1")  # names without a port
    allowed_origins: Origins = ()
    cookie_group: str | None = None

    @property
    def endpoint(self) -> HostPort:
        return parse_endpoint(self.listen)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise PydanticCustomError("setting", "tls_cert and tls_key belong together: set both or none")
        if self.tls_cert is None and not self.endpoint.is_loopback:
            raise PydanticCustomError(
                "setting", "listen reaches beyond this machine: set tls_cert and tls_key, or listen on 127.0.0.1"
            )
        return self


class P2p(_Section):
    """The libp2p node."""

    listen: Multiaddrs = ("/ip4/0.0.0.0/tcp/4327",)
    announce: Multiaddrs = ()
    bootstrap: BootstrapAddresses = ()
    mdns: bool = True  # used only while `bootstrap` is empty
    dht: bool = True
    private_addresses: bool = False

    @property
    def use_mdns(self) -> bool:
        return self.mdns and not self.bootstrap

    @property
    def use_private_addresses(self) -> bool:
        """As set, and by itself when listening on loopback only: nobody else could be meant."""
        hosts = [address.split("/")[2] for address in self.listen]
        return self.private_addresses or (bool(hosts) and all(is_loopback(host) for host in hosts))


class KeySettings(_Section):
    """How the keys are opened."""

    passphrase_file: File | None = None


class LimitSettings(_Section):
    """Bounds on what others may cost us. Sizes in bytes, times in milliseconds."""

    advertisement_bytes: Count = 10_000
    skew_ms: Count = 5 * MINUTE_MS
    interval_ms: Millis = MINUTE_MS  # between two advertisements of one key
    invalid_signatures: Count = 10  # of one peer, then a ban
    ban_ms: Count = DAY_MS
    request_bytes: Count = 50_000
    ttl_ms: Count = DAY_MS
    max_ttl_ms: Count = 7 * DAY_MS
    round_ms: Count = 10 * MINUTE_MS
    broadcast_ms: Count = 5 * MINUTE_MS
    items_times_signers: Count = 1_000
    max_attempts: Attempts = 5
    advertisements: Count = 250_000
    advertisements_per_peer: Count = 100
    notices: Count = 50_000
    notices_per_peer: Count = 200
    pinned_keys: PublicKeys = ()  # signers without a quota, never evicted from the directory
    unsolicited_per_peer: Count = 1_000  # open requests one peer brought that no own key has joined
    unsolicited_total: Count = 10_000
    connections: Count = 300
    rpc_body_bytes: Count = 1_048_576
    rpc_calls_per_second: Count = 20_000  # per token
    rpc_calls_at_once: Count = 2_000
    rpc_connections: Count = 4_096


class Storage(_Section):
    """How long things are kept."""

    keep_events: Millis = 7 * DAY_MS
    keep_finished: Millis = 30 * DAY_MS


class Settings(BaseSettings):
    """The effective settings, frozen. Made by `config.load.load_settings`, which merges the sources in order."""

    model_config = SettingsConfigDict(
        env_prefix="MUSIGD_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    network: NetworkName = "main"
    scheme: SchemeName = "lotus"
    drain_ms: Millis = 5_000
    log: Log = Log()
    rpc: Rpc = Rpc()
    p2p: P2p = P2p()
    keys: KeySettings = KeySettings()
    limits: LimitSettings = LimitSettings()
    store: Storage = Storage()

    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _ignored: tuple[str, ...] = PrivateAttr(default=())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: `config.load` has merged the sources and knows where each value came from."""
        return (init_settings,)

    @property
    def ignored_variables(self) -> tuple[str, ...]:
        """Names that Kubernetes has put among the `MUSIGD_*` variables; see `config.service_variables`."""
        return self._ignored

    def origin_of(self, name: str) -> str:
        """Where the value of a setting such as `rpc.listen` comes from: a flag, a variable, a file, or `default`."""
        return self._origins.get(name, DEFAULT)

    def with_those_of(self, other: Settings, names: Collection[str]) -> Settings:
        """These settings, but those with these names as `other` has them, origins included."""
        merged = self
        for name in names:
            section, _, leaf = name.rpartition(".")
            value: Any = other.value_of(name)
            if section:
                leaf, value = section, getattr(merged, section).model_copy(update={leaf: value})
            merged = merged.model_copy(update={leaf: value})
        merged._origins = {**self._origins, **{name: other.origin_of(name) for name in names}}
        return merged

    def value_of(self, name: str) -> Any:
        """The value of a setting such as `rpc.listen`."""
        value: Any = self
        for part in name.split("."):
            value = getattr(value, part)
        return value


def setting_names(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Every setting as `section.name`, in the order of this file."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from setting_names(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
