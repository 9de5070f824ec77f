"""A router's service that maps ports: WANIPConnection:1 and :2, WANPPPConnection:1, asked by SOAP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final, Literal

from p2p.port_mapping.router import BadAnswer, GatewayFault, GatewayRefused, Granted, PortEntry
from p2p.port_mapping.upnp.elements import parsed
from p2p.port_mapping.upnp.http import Url, exchange, url_at
from p2p.port_mapping.upnp.search import Lan, search
from p2p.ports import MappingFault

SERVICES: Final = tuple(
    f"urn:schemas-upnp-org:service:{name}" for name in ("WANIPConnection:2", "WANIPConnection:1", "WANPPPConnection:1")
)
CHOOSES_PORTS: Final = SERVICES[0]  # has AddAnyPortMapping
MOST_SERVICES: Final = 4  # tried of one description: a router for cable and DSL has two
NO_SUCH_ENTRY: Final = 714
# The errors of WANIPConnection:1 and :2 that say what to do; the others are named by their number.
REFUSALS: Final = {
    401: "it does not know this request",
    402: "it takes the request for malformed",
    501: "it could not do that",
    606: "this machine may not do that: allow UPnP for it in the router",
    718: "other machines have the ports that were asked for",
    724: "it maps a port to the same number only, and another machine has that one",
    728: "its table is full",
    729: "another rule of it has that port",
}
ENVELOPE: Final = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
    '<u:{action} xmlns:u="{service}">{values}</u:{action}></s:Body></s:Envelope>'
)
SEARCH_REMEDY: Final = (
    "Switch UPnP on in the router (it may be named Internet Gateway Device), and let the firewall of this machine pass "
    "UDP from the router's port 1900"
)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Raises GatewayRefused and BadAnswer. `own_host`: this machine as the router sees it."""

    control: Url
    service: str
    own_host: str

    @property
    def protocol(self) -> Literal["upnp"]:
        """What it speaks."""
        return "upnp"

    @property
    def host(self) -> str:
        """The router's address in the local network."""
        return self.control.host

    @property
    def chooses_ports(self) -> bool:
        """Whether it has `add_any`."""
        return self.service == CHOOSES_PORTS

    async def external_address(self) -> str:
        """Its address on the other side; "" if it has none."""
        said = await self._ask("GetExternalIPAddress", {})
        try:
            address = IPv4Address(said.get("NewExternalIPAddress", ""))
        except ValueError:
            return ""
        return "" if address.is_unspecified else str(address)

    async def entry(self, external: int) -> PortEntry | None:
        """Who has that port; None: nobody."""
        try:
            said = await self._ask("GetSpecificPortMappingEntry", _key(external))
        except GatewayRefused as error:
            if error.code == NO_SUCH_ENTRY:
                return None
            raise
        port = said.get("NewInternalPort", "")
        return PortEntry(said.get("NewInternalClient", ""), int(port) if port.isdecimal() and len(port) < 6 else 0)

    async def add(self, external: int, port: int, lease_s: int) -> Granted:
        """Map `external` to `port` of this machine, for so many seconds, 0 for good; renews an own one."""
        await self._ask("AddPortMapping", self._wanted(external, port, lease_s))
        return Granted(external, lease_s)

    async def add_any(self, external: int, port: int, lease_s: int) -> Granted:
        """The same at a port of the router's choice where others have that one."""
        said = await self._ask("AddAnyPortMapping", self._wanted(external, port, lease_s))
        reserved = said.get("NewReservedPort", "")
        if not (reserved.isdecimal() and len(reserved) < 6 and 0 < int(reserved) < 65_536):
            raise BadAnswer("it says no port that it has mapped")
        return Granted(int(reserved), lease_s)

    async def delete(self, external: int, port: int) -> None:
        """End a mapping; one that is not there is fine."""
        try:
            await self._ask("DeletePortMapping", _key(external))
        except GatewayRefused as error:
            if error.code != NO_SUCH_ENTRY:
                raise

    def _wanted(self, external: int, port: int, lease_s: int) -> dict[str, object]:
        return {
            **_key(external),
            "NewInternalPort": port,
            "NewInternalClient": self.own_host,
            "NewEnabled": 1,
            "NewPortMappingDescription": "musigd",
            "NewLeaseDuration": lease_s,
        }

    async def _ask(self, action: str, values: Mapping[str, object]) -> dict[str, str]:
        """One request; the values of its answer."""
        told = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
        headers = {"Content-Type": 'text/xml; charset="utf-8"', "SOAPAction": f'"{self.service}#{action}"'}
        body = ENVELOPE.format(action=action, service=self.service, values=told).encode()
        answer = await exchange(self.control, "POST", headers, body)
        said = parsed(answer.body) if answer.status in (200, 500) else None
        if said is not None and answer.status == 200:
            for response in said.all(f"{action}Response"):
                return {child.name: child.text.strip() for child in response.children}
        elif said is not None:
            for error in said.all("UPnPError"):
                code = error.text_of("errorCode")
                number = int(code) if code.isdecimal() and len(code) < 5 else 0
                raise GatewayRefused(action, number, REFUSALS.get(number, "it refused"))
        raise BadAnswer(f"no answer to {action} (HTTP status {answer.status})")


def _key(external: int) -> dict[str, object]:
    return {"NewRemoteHost": "", "NewExternalPort": external, "NewProtocol": "TCP"}


async def find_gateway(lan: Lan) -> Gateway:
    """The first that has an address on the other side. Raises GatewayFault."""
    places, others = await search(lan)
    faults: list[GatewayFault] = []
    for place in places:
        try:
            return await _with_an_address(place)
        except GatewayFault as fault:
            faults.append(fault)
        except (BadAnswer, GatewayRefused) as error:
            faults.append(GatewayFault(MappingFault.REFUSED, f"The router {place.host} answers by UPnP, but {error}."))
    if faults:
        raise faults[0]
    what = f"No router answered by UPnP. {SEARCH_REMEDY}."
    if others:
        what = f"What answered by UPnP is not the router of this machine: {', '.join(others)}. {SEARCH_REMEDY}."
    raise GatewayFault(MappingFault.NO_GATEWAY, what)


async def _with_an_address(place: Url) -> Gateway:
    """The first service there that has one. Raises GatewayFault, BadAnswer, GatewayRefused."""
    gateways = await _described(place)
    for gateway in gateways:
        if await gateway.external_address():
            return gateway
    if not gateways:
        raise BadAnswer("its description names no connection that maps ports")
    raise GatewayFault(  # so does miniupnpd where its own address is private
        MappingFault.DOUBLE_NAT,
        f"The router {place.host} says no address of its own on the internet: it is behind another router, or one of "
        "the provider, or has no connection.",
    )


async def _described(place: Url) -> list[Gateway]:
    """The services of a description that map ports, the newest kind first. Raises BadAnswer."""
    answer = await exchange(place, "GET", {"Accept": "text/xml"})
    if answer.status != 200:
        raise BadAnswer(f"its description has HTTP status {answer.status}")
    document = parsed(answer.body)
    stated = next((root.text_of("URLBase") for root in document.all("root")), "")
    base = url_at(place.host, stated, place) if stated else place
    offered = [(each.text_of("serviceType"), each.text_of("controlURL")) for each in document.all("service")]
    found = [(kind, control) for kind, control in offered if kind in SERVICES and control]
    found.sort(key=lambda service: SERVICES.index(service[0]))
    return list(_gateways(found[:MOST_SERVICES], place.host, base, answer.own_host))


def _gateways(found: list[tuple[str, str]], host: str, base: Url, own_host: str) -> Iterator[Gateway]:
    for kind, control in found:
        yield Gateway(url_at(host, control, base), kind, own_host)
