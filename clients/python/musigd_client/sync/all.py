"""All typed methods of the API in one class."""

from __future__ import annotations

from musigd_client.sync.discovery import DiscoveryMethods
from musigd_client.sync.events import EventsMethods
from musigd_client.sync.keys import KeysMethods
from musigd_client.sync.node import NodeMethods
from musigd_client.sync.requests import RequestsMethods
from musigd_client.sync.sessions import SessionsMethods


class SyncMethods(NodeMethods, KeysMethods, DiscoveryMethods, RequestsMethods, SessionsMethods, EventsMethods):
    """Every method of the API."""
