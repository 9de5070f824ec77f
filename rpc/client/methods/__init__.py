"""Every method of the API, typed, for whoever can call."""

from __future__ import annotations

from rpc.client.methods.discovery import DiscoveryMethods
from rpc.client.methods.events import EventsMethods
from rpc.client.methods.keys import KeysMethods
from rpc.client.methods.node import NodeMethods
from rpc.client.methods.requests import RequestsMethods
from rpc.client.methods.sessions import SessionsMethods


class Methods(NodeMethods, KeysMethods, DiscoveryMethods, RequestsMethods, SessionsMethods, EventsMethods):
    """All of them."""
