"""Handlers of `addContact`, `listContacts` and `removeContact`."""

from __future__ import annotations

from typing import Protocol

from daemon.access.idempotency import keeping
from daemon.clock import WallClock
from daemon.errors import InvalidParam
from daemon.peers.contacts import Contacts, KnownSigner
from daemon.store import Store
from musig2.protocol.records.peers import peer_text
from musigd_client.pairing import NoPairing, Pairing, read_pairing
from p2p.addresses import dial_target
from p2p.errors import AddressError, P2PError, PeerUnreachable
from p2p.ports import Connected
from rpc.caller import Caller
from rpc.models import node as models
from rpc.models.wire import NoParams
from rpc.ports import Once


class Dialler(Protocol):
    """The part of `p2p.network.Network` that is needed here."""

    @property
    def peer_text(self) -> str: ...

    async def connect(self, multiaddr: str) -> Connected: ...


def pairing_of(name: str, link: str, own_peer: str, own_network: str) -> Pairing:
    """What a pairing link says, with the addresses that can be dialled. Raises InvalidParam."""
    try:
        pairing = read_pairing(link)
        peers = {peer_text(dial_target(multiaddr)[1]) for multiaddr in pairing.multiaddrs}
    except (NoPairing, AddressError) as error:
        raise InvalidParam(name, str(error)) from error
    if own_peer in peers:
        raise InvalidParam(name, "is a link to this daemon itself; give it to the other signer")
    if pairing.network not in (None, own_network):
        raise InvalidParam(name, f"is of the network {pairing.network}, and this daemon is of {own_network}")
    return pairing


async def connect_to(network: Dialler, pairing: Pairing) -> Connected:
    """Connect at the first address that answers. If none does, raises the error of the last one."""
    problem: P2PError | None = None
    for multiaddr in pairing.multiaddrs:
        try:
            return await network.connect(multiaddr)
        except (PeerUnreachable, AddressError) as error:
            problem = error
    assert problem is not None, "a pairing link names at least one address"
    raise problem


class ContactMethods:
    """Contacts through the API."""

    def __init__(self, *, network: Dialler, network_name: str, store: Store, clock: WallClock) -> None:
        self._network = network
        self._network_name = network_name
        self._contacts = Contacts(store=store, clock=clock)

    async def add_contact(
        self, caller: Caller, params: models.AddContact, once: Once | None = None
    ) -> models.ContactAdded:
        """Store a contact, whether its daemon answers or not. Raises InvalidParam."""
        pairing = pairing_of("link", params.link, self._network.peer_text, self._network_name)
        nickname = params.nickname if params.nickname is not None else pairing.nickname or ""
        signer = KnownSigner(
            bytes.fromhex(pairing.public_key), pairing.scheme, nickname, pairing.multiaddrs, self._contacts.now_ms()
        )
        try:
            await connect_to(self._network, pairing)
            connected = True
        except (PeerUnreachable, AddressError):
            connected = False
        answer = models.ContactAdded(**_shown(signer).model_dump(exclude_none=True), connected=connected)
        await self._contacts.add(signer, keeping(once, answer))
        return answer

    async def list_contacts(self, caller: Caller, params: NoParams) -> models.ContactList:
        return models.ContactList(contacts=tuple(map(_shown, self._contacts.all())))

    async def remove_contact(
        self, caller: Caller, params: models.NameContact, once: Once | None = None
    ) -> models.ContactRemoved:
        answer = models.ContactRemoved(public_key=params.public_key, removed=True)
        await self._contacts.remove(bytes.fromhex(params.public_key), keeping(once, answer))
        return answer


def _shown(signer: KnownSigner) -> models.Contact:
    return models.Contact(
        public_key=signer.key.hex(),
        scheme=signer.scheme,
        nickname=signer.nickname or None,
        peer_id=signer.multiaddrs[0].rpartition("/")[2],
        multiaddrs=signer.multiaddrs,
        since=signer.since_ms,
    )
