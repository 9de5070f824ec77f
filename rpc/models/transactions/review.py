"""What a request signs, decoded: the review that a daemon makes of every request it shows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rpc.models.transactions.tweaks import UncheckedReason
from rpc.models.values import Count, Hex32, HexBytes, PublicKey, Sats
from rpc.models.wire import Many, Shown

ReviewStatus = Literal["checked", "blind", "mismatch"]


class ReviewedInput(Shown):
    """An output being spent; `signed`: by this request."""

    txid: Hex32
    vout: Count
    value: Sats
    script: HexBytes
    address: str | None = None
    sequence: Count
    signed: bool


class ReviewedOutput(Shown):
    """An output being made, and whether it comes back."""

    value: Sats
    script: HexBytes
    address: str | None = None
    returns: Literal["aggregate", "key"] | None = Field(
        default=None, description="to an aggregated key of this request, or to `publicKey`, an own key alone"
    )
    public_key: PublicKey | None = None


class ReviewedTransaction(Shown):
    """The transaction that a checked message signs. Amounts and fee are satoshis."""

    version: Count
    lock_time: Count
    inputs: Many[ReviewedInput]
    outputs: Many[ReviewedOutput]
    input_amount: Sats
    output_amount: Sats
    fee: Sats | None = Field(default=None, description="absent where the signatures leave something open")
    fee_rate: Sats | None = Field(default=None, description="satoshis for 1 000 bytes of `size`")
    size: Count = Field(
        description="bytes once it is signed, virtual ones on Bitcoin; an estimate where others sign inputs too"
    )


class Review(Shown):
    """What the daemon found. `mismatch` cannot be joined; `blind`: nobody can see what at least one message is."""

    status: ReviewStatus
    reason: UncheckedReason | None = Field(default=None, description="of the first message that is not checked")
    message: str | None = None
    uncovered: Many[str] | None = Field(
        default=None, description="what any of the signatures leaves open to change; see `messages`"
    )
    transaction: ReviewedTransaction | None = Field(
        default=None, description="there where a checked message signs it and nothing is a mismatch"
    )
    text: str | None = Field(default=None, description="the text that is signed instead of a transaction")
    text_tag: str | None = None
