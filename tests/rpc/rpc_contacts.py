"""Contacts and webhooks in memory."""

from __future__ import annotations

from typing import Any

from musigd_client.pairing import read_pairing
from rpc.caller import Caller
from rpc.methods import samples
from rpc.methods.table import METHODS
from rpc.models import events, node
from rpc.models.wire import NoParams
from rpc.ports import Once


class ContactBook:
    def __init__(self) -> None:
        self._rows: dict[str, node.Contact] = {}

    async def add_contact(self, caller: Caller, params: node.AddContact, once: Once | None = None) -> node.ContactAdded:
        pairing = read_pairing(params.link)
        shown: dict[str, Any] = {
            "public_key": pairing.public_key,
            "scheme": pairing.scheme,
            "nickname": params.nickname or pairing.nickname,
            "peer_id": pairing.multiaddrs[0].rpartition("/")[2],
            "multiaddrs": pairing.multiaddrs,
            "since": samples.NOW,
        }
        self._rows[pairing.public_key] = node.Contact(**shown)
        return node.ContactAdded(**shown, connected=True)

    async def list_contacts(self, caller: Caller, params: NoParams) -> node.ContactList:
        return node.ContactList(contacts=tuple(self._rows.values()))

    async def remove_contact(
        self, caller: Caller, params: node.NameContact, once: Once | None = None
    ) -> node.ContactRemoved:
        self._rows.pop(params.public_key, None)
        return node.ContactRemoved(public_key=params.public_key, removed=True)


class HookBook:
    async def create_webhook(self, caller: Caller, params: events.CreateWebhook) -> events.WebhookMade:
        return events.WebhookMade.model_validate(METHODS["createWebhook"].answer)

    async def list_webhooks(self, caller: Caller, params: NoParams) -> events.WebhookList:
        return events.WebhookList.model_validate(METHODS["listWebhooks"].answer)

    async def delete_webhook(
        self, caller: Caller, params: events.NameWebhook, once: Once | None = None
    ) -> events.WebhookDeleted:
        return events.WebhookDeleted(deleted=True)
