"""Settings, where things lie on the disk, and the set-up of logs. Knows no other package of ours."""

from config.settings import Settings, SettingsError

__all__ = ["Settings", "SettingsError"]
