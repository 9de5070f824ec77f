"""Every method of the API, typed, for whoever can call."""

from __future__ import annotations

from rpc.client_methods.discovery import DiscoveryMethods
from rpc.client_methods.events import EventsMethods
from rpc.client_methods.keys import KeysMethods
from rpc.client_methods.node import NodeMethods
from rpc.client_methods.requests import RequestsMethods
from rpc.client_methods.sessions import SessionsMethods


class Methods(NodeMethods, KeysMethods, DiscoveryMethods, RequestsMethods, SessionsMethods, EventsMethods):
    """All of them."""
