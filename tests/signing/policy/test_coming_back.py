"""Several requests that sign inputs of one transaction: what comes back is counted once among them."""

from __future__ import annotations

import os
from typing import Any

from musig2 import Tweak, TweakKind, scheme
from musig2.chain.address import address_of_script, script_pubkey
from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from tests.signing.flows.test_signing_checks import ask
from tests.signing.policy.payments import ELSEWHERE, KEY_PATH
from tests.signing.policy.test_approvals import ANNA, approve
from tests.signing.policy.test_policy_budgets import settled
from tests.signing.policy.test_policy_flow import explained, two
from tests.signing.signing_world import Daemon, World, signatures

NOTHING = '[[rule]]\nname = "nothing leaves"\nverdict = "join"\nmax_amount = 0\n'
SAFE = b"\x62\x51\x21\x02" + bytes(31) + b"\x09"


class Split:
    """A transaction of two equal coins of these signers that pays one of them away, signed input by input."""

    def __init__(self, signers: list[Daemon], change: bytes | None = None) -> None:
        self.signers = signers
        self.agg = scheme("lotus").key_agg(tuple(sorted(each.key for each in signers)), (Tweak(TweakKind.TAPROOT),))
        mine = script_pubkey("lotus", self.agg.aggpubkey)
        coins = [TxOutput(100_000, mine), TxOutput(100_000, mine)]
        inputs = tuple(TxInput(os.urandom(32), 0) for _ in coins)
        outputs = (TxOutput(100_000, ELSEWHERE), TxOutput(100_000, change or mine))
        self.spend = KeyPathSpend(Transaction(2, inputs, outputs), coins)

    async def ask(self, *inputs: int, unlocked: bytes = b"") -> str:
        """Ask for the signatures of these inputs; another one is shown as unlocked by these bytes."""
        spend = self.spend
        shown = spend.transaction.serialize()
        if unlocked:
            others = [TxInput(each.txid, each.vout, script_sig=unlocked) for each in spend.transaction.inputs]
            for index in inputs:
                others[index] = spend.transaction.inputs[index]
            shown = Transaction(2, tuple(others), spend.transaction.outputs).serialize()
        items = [
            {"message": spend.sighash("lotus", index).hex(), "tweaks": KEY_PATH, "inputIndex": index}
            for index in inputs
        ]
        metadata = {
            "transactionHex": shown.hex(),
            "spentOutputs": [{"value": out.value, "script": out.script_pubkey.hex()} for out in spend.spent_outputs],
        }
        asked: dict[str, Any] = await ask(self.signers[0], self.signers, messages=items, metadata=metadata)
        return str(asked["requestId"])


async def amount(signer: Daemon, request: str) -> int:
    return int((await explained(signer, request))["values"]["amount"])


async def test_two_requests_that_sign_one_input_each_cannot_both_have_the_change(world: World) -> None:
    signers = await two(world, NOTHING)
    split = Split(signers)
    first = await split.ask(0)
    assert len(await signatures(signers[0], first)) == 1
    second = await split.ask(1, unlocked=b"\x41" * 66)
    assert await settled(signers[1], second) == "waits"
    assert await amount(signers[1], second) == 100_000


async def test_nor_after_a_restart_nor_with_an_address_of_change(world: World) -> None:
    address = address_of_script("lotus", SAFE, "main")
    signers = await two(world, NOTHING + f'change = ["{address}"]\n')
    split = Split(signers, change=SAFE)
    assert len(await signatures(signers[0], await split.ask(1))) == 1
    await signers[1].stop()
    await signers[1].start()
    world.hub.connect(signers[1].peer, signers[0].peer)
    second = await split.ask(0)
    assert await settled(signers[1], second) == "waits"


async def test_what_an_owner_approved_has_its_change_before_what_rules_would_join(world: World) -> None:
    strict = '[[rule]]\nname = "by hand"\nverdict = "ask"\ntransaction_types = ["vault"]\n' + NOTHING
    signers = await two(world, strict)
    split = Split(signers)
    signers[1].write_policy('default = "ask"')
    await signers[1].policy.reload()
    first = await split.ask(0)
    await signers[1].until("approval:needed", requestId=first)
    await approve(signers[1], ANNA, first)
    assert len(await signatures(signers[0], first)) == 1
    signers[1].write_policy(strict)
    await signers[1].policy.reload()
    assert await settled(signers[1], await split.ask(1)) == "waits"


async def test_one_request_for_all_inputs_costs_what_leaves(world: World) -> None:
    signers = await two(world, NOTHING.replace("max_amount = 0", "max_amount = 100_000"))
    request = await Split(signers).ask(0, 1)
    assert len(await signatures(signers[0], request)) == 2
    assert await amount(signers[1], request) == 100_000
