"""Every setting, its default and its meaning. `config.load` reads them; nothing here touches a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, Field, PrivateAttr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.errors import SettingsError
from config.sections import KeySettings, LimitSettings, Log, P2p, PolicySettings, Rpc, Storage
from config.values import Millis, NetworkName

DEFAULT = "default"

__all__ = ["Settings", "SettingsError", "setting_names"]


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

    network: NetworkName = Field(
        default="main",
        description=(
            "Name of the network: main, test, regtest, or one of your own. Daemons of different networks do "
            "not meet; addresses of aggregateKeys follow it."
        ),
    )
    drain_ms: Millis = Field(default=5_000, description="How long a stop waits for sessions that are in a round.")
    log: Log = Log()
    rpc: Rpc = Rpc()
    p2p: P2p = P2p()
    keys: KeySettings = KeySettings()
    policy: PolicySettings = PolicySettings()
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
