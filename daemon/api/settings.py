"""Handler of `getSettings`."""

from __future__ import annotations

from config.running_settings import RunningSettings
from config.show import EffectiveSetting, JsonValue
from daemon.host.slow_disk import off_loop
from rpc.caller import Caller
from rpc.models.node import RunningSetting, SettingsInForce, SettingValue, WaitingSetting
from rpc.models.wire import NoParams


class SettingsMethods:
    """The settings in force. The file is read again at each call, because it is small and the owner's own."""

    def __init__(self, settings: RunningSettings) -> None:
        self._settings = settings

    async def get_settings(self, caller: Caller, params: NoParams) -> SettingsInForce:
        rows, problem = await off_loop(self._settings.shown)
        return SettingsInForce(settings=tuple(map(_shown, rows)), problem=problem)


def _shown(row: EffectiveSetting) -> RunningSetting:
    waiting = None
    if row.waiting is not None:
        of = row.waiting
        waiting = WaitingSetting(value=_plain(of.value), origin=of.origin, by_reload=of.by_reload)
    return RunningSetting(name=row.name, value=_plain(row.value), origin=row.origin, waiting=waiting)


def _plain(value: JsonValue) -> SettingValue:
    return tuple(value) if isinstance(value, list) else value
