"""The one table of methods: dispatch, scopes, idempotency, OpenRPC, docs, client and CLI all read it."""

from __future__ import annotations

from collections.abc import Mapping

from rpc.methods.audit import AUDIT
from rpc.methods.discovery import DISCOVERY
from rpc.methods.events import EVENTS
from rpc.methods.keys import KEYS, PURE
from rpc.methods.method import Method
from rpc.methods.node import NODE, TOKENS
from rpc.methods.policy import APPROVALS, POLICY
from rpc.methods.signing import REQUESTS, SESSIONS
from rpc.methods.unwanted import UNWANTED

API_VERSION = 1

# Sections of the documentation, in the order a reader meets them.
SECTIONS: Mapping[str, tuple[Method, ...]] = {
    "The daemon and its peers": NODE,
    "Keys": KEYS,
    "Calculations": PURE,
    "Discovery": DISCOVERY,
    "Requests": (*REQUESTS, *UNWANTED),
    "Sessions": SESSIONS,
    "Policy and approvals": (*APPROVALS, *POLICY),
    "Events": EVENTS,
    "Tokens": TOKENS,
    "The audit log": AUDIT,
}

METHODS: Mapping[str, Method] = {method.name: method for section in SECTIONS.values() for method in section}
