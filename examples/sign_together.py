"""All four phases from the side of wallets, with the Python client.

    python examples/sign_together.py ALICE_DATADIR BOB_DATADIR [MORE_DATADIRS...]

Each data directory belongs to a running daemon, and each daemon to one wallet. Alice looks for signers and asks them;
the others advertise, look at the request, and join. In real life each wallet is a program on a machine of its own.

It needs `musig2`, the library of the daemon, besides the kit: run it with the Python into which musigd is installed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musigd_client import Client

SCHEME: Final = "lotus"
TYPE = "spend"
AMOUNT = 5_000_000  # satoshis
FEE = 1_000
FUNDING = sha256(b"stands for the transaction that paid to the address").digest()
KEY_PATH = [{"taprootMerkleRoot": None}]


class Wallet:
    """One wallet: its daemon's client, its key, and the seq from which it listens, so that it misses nothing."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self.client = client
        self.public_key = ""
        self.heard_to = 0

    async def start(self) -> None:
        """Remembers where the event log stands, then makes a key."""
        self.heard_to = (await self.client.get_info()).next_seq
        made = await self.client.create_key(scheme=SCHEME, label=self.name, idempotency_key=str(uuid4()))
        self.public_key = made.public_key

    async def wait_for(self, event: str, **matching: Any) -> dict[str, Any]:
        """The data of the next event of that name that matches; gives up after two minutes."""
        async with asyncio.timeout(120):
            async for heard in self.client.events(from_seq=self.heard_to):
                data = heard["data"]
                if heard["event"] == event and all(data.get(name) == value for name, value in matching.items()):
                    return data
        raise AssertionError("the stream of events does not end")

    def say(self, text: str) -> None:
        sys.stdout.write(f"{self.name}: {text}\n")


async def connect_daemons(wallets: Sequence[Wallet]) -> None:
    """Daemons find each other by bootstrap nodes or mDNS; on one machine it is quicker to tell them."""
    for wallet in wallets[1:]:
        for multiaddr in (await wallet.client.get_info()).multiaddrs:
            await wallets[0].client.connect_peer(multiaddr=multiaddr)


async def advertise(wallet: Wallet) -> None:
    """Phase 0."""
    advertised = await wallet.client.advertise_signer(
        public_key=wallet.public_key,
        criteria={"transactionTypes": [TYPE], "minAmount": 1_000_000, "maxAmount": 100_000_000},
        metadata={"nickname": wallet.name, "fees": 0},
    )
    wallet.say(f"advertises {advertised.public_key}")


async def discover(alice: Wallet, wanted: int) -> list[str]:
    """Phase 1: what is known already, and then whatever is heard of, until there are enough."""
    await alice.client.subscribe_to_signer_discovery(transaction_types=[TYPE])
    found: dict[str, None] = {}
    async with asyncio.timeout(120):
        while len(found) < wanted:
            answer = await alice.client.find_available_signers(
                transaction_type=TYPE, scheme=SCHEME, min_amount=AMOUNT, refresh=True
            )
            found |= dict.fromkeys(signer.public_key for signer in answer.signers)
            if len(found) < wanted:
                await asyncio.sleep(0.5)
    alice.say(f"found {len(found)} signer(s)")
    return list(found)[:wanted]


async def request(alice: Wallet, others: list[str]) -> str:
    """Phase 2: aggregate the keys, build the transaction that spends from them, ask. Returns the request id."""
    keys = [alice.public_key, *others]
    aggregate = await alice.client.aggregate_keys(public_keys=keys, scheme=SCHEME, tweaks=KEY_PATH)
    alice.say(f"the {len(keys)} keys together are {aggregate.address}")
    script = bytes.fromhex(aggregate.script_pub_key)
    transaction = Transaction(version=2, inputs=(TxInput(FUNDING, 0),), outputs=(TxOutput(AMOUNT - FEE, script),))
    message = KeyPathSpend(transaction, [TxOutput(AMOUNT, script)]).sighash(SCHEME, 0).hex()
    announced = await alice.client.announce_signing_request(
        required_public_keys=keys,
        message=message,
        input_index=0,
        public_key=alice.public_key,
        tweaks=KEY_PATH,
        metadata={
            "transactionHex": transaction.serialize().hex(),
            "spentOutputs": [{"value": AMOUNT, "script": script.hex()}],
            "amount": AMOUNT,
            "transactionType": TYPE,
            "description": "an example",
        },
        idempotency_key=str(uuid4()),
    )
    alice.say(f"asks them to sign: request {announced.request_id}")
    return announced.request_id


async def approve(wallet: Wallet) -> None:
    """Phase 2, the other side: `checked` says that the message is the hash of the transaction shown; look at that."""
    received = await wallet.wait_for("signing-request:received")
    asked = received["request"]
    shown = Transaction.parse(bytes.fromhex(asked["metadata"]["transactionHex"]))
    paid = sum(output.value for output in shown.outputs)
    if not asked["messages"][0]["checked"] or paid != AMOUNT - FEE:
        await wallet.client.decline_signing_request(request_id=asked["requestId"], public_key=wallet.public_key)
        raise SystemExit("this is not what I want to sign")
    await wallet.client.join_signing_request(
        request_id=asked["requestId"], public_key=wallet.public_key, require_checked=True
    )
    wallet.say("has looked at the request and joins")


async def signature(wallet: Wallet, request_id: str) -> str:
    """Phase 3: with autoAdvance the daemons do both rounds by themselves."""
    await wallet.wait_for("signature:finalized", requestId=request_id)
    final = await wallet.client.get_final_signature(request_id=request_id, wait_ms=60_000)
    checked = await wallet.client.verify_signature(
        public_key=final.aggregated_public_key, message=final.message, signature=final.signature, scheme=SCHEME
    )
    if not checked.valid:
        raise SystemExit("the signature does not hold")
    wallet.say("holds the signature, and it verifies")
    return final.signature


async def main(datadirs: Sequence[str]) -> None:
    names = ["alice", "bob", *(f"signer{number}" for number in range(3, 100))]
    wallets = [
        Wallet(name, await Client.connect(datadir=Path(datadir)))
        for name, datadir in zip(names, datadirs, strict=False)
    ]
    alice, others = wallets[0], wallets[1:]
    await asyncio.gather(*(wallet.start() for wallet in wallets))
    await connect_daemons(wallets)
    await asyncio.gather(*(advertise(wallet) for wallet in others))
    wanted = {wallet.public_key for wallet in others}
    found = await discover(alice, len(others))
    request_id = await request(alice, [key for key in found if key in wanted] or found)
    await asyncio.gather(*(approve(wallet) for wallet in others))
    signatures = await asyncio.gather(*(signature(wallet, request_id) for wallet in wallets))
    if len(set(signatures)) != 1:
        raise SystemExit("the wallets hold different signatures")
    sys.stdout.write(f"signature {signatures[0]}\n")
    for wallet in wallets:
        await wallet.client.close()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    asyncio.run(main(sys.argv[1:]))
