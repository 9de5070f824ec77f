"""All typed methods of the API in one class."""

from __future__ import annotations

from musigd_client.methods.discovery import DiscoveryMethods
from musigd_client.methods.events import EventsMethods
from musigd_client.methods.keys import KeysMethods
from musigd_client.methods.node import NodeMethods
from musigd_client.methods.requests import RequestsMethods
from musigd_client.methods.sessions import SessionsMethods


class Methods(NodeMethods, KeysMethods, DiscoveryMethods, RequestsMethods, SessionsMethods, EventsMethods):
    """Every method of the API."""
