"""Signers whom the owner knows: two of them need no market."""

from __future__ import annotations

from typing import Any, Final

from musigd_client.pairing import Pairing, pairing_link
from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import node
from rpc.models.wire import NoParams

LINK: Final = pairing_link(
    Pairing(multiaddrs=(samples.ADDRESS_B,), public_key=samples.KEY_B, scheme="lotus", nickname="Bob")
)
_CONTACT: Final[dict[str, Any]] = {
    "publicKey": samples.KEY_B,
    "scheme": "lotus",
    "nickname": "Bob",
    "peerId": samples.PEER_B,
    "multiaddrs": [samples.ADDRESS_B],
    "since": samples.NOW,
}

CONTACTS = (
    Method(
        name="addContact",
        params=node.AddContact,
        result=node.ContactAdded,
        scope=Scope.ADMIN,
        summary="Keeps a signer by its pairing link and connects to it; its requests come before those of strangers.",
        example={"link": LINK},
        answer={**_CONTACT, "connected": True, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
    Method(
        name="listContacts",
        params=NoParams,
        result=node.ContactList,
        scope=Scope.READ,
        summary="Signers whom the owner knows, by nickname.",
        example={},
        answer={"contacts": [_CONTACT]},
        whole_daemon=True,
    ),
    Method(
        name="removeContact",
        params=node.NameContact,
        result=node.ContactRemoved,
        scope=Scope.ADMIN,
        summary="Forgets a contact; connections stay as they are.",
        example={"publicKey": samples.KEY_B},
        answer={"publicKey": samples.KEY_B, "removed": True, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
)
