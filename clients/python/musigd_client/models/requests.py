"""What calls about requests take and give.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from musigd_client.models.keys import PlainTweak, TaprootTweak
from musigd_client.record import EMPTY, Record
from musigd_client.wire import Inner


class MessageItem(Record):
    """One message of 32 bytes; `inputIndex` says which input of the transaction it belongs to, and has it checked.
    `aggregatedPublicKey`, the tweaked key that its signature verifies under, is always there in answers. Who
    announces may give it, to be refused when keys and tweaks do not make it. An item may be announced again as it
    was shown: `checked` and what goes with it are left out of it, and found anew.
    """

    _inner: ClassVar[Inner] = {"tweaks": (TaprootTweak, PlainTweak)}
    message: str
    tweaks: tuple[TaprootTweak | PlainTweak, ...] = ()
    input_index: int | None = None
    """position among the inputs of `metadata.transactionHex`, from 0: the message must be its hash"""
    aggregated_public_key: str | None = None


class SpentOutput(Record):
    """An output that the transaction spends, as needed to check the hash that is signed."""

    value: int
    script: str
    extra: Mapping[str, Any] = EMPTY
    """any other members, as on the wire"""


class SpendPath(Record):
    """How one of `messages` is signed, where that is not the key path with the ordinary sighash type."""

    item: int
    """position in `messages`"""
    sighash_type: int | None = None
    annex: str | None = None
    """with its first byte, 50"""
    leaf_script: str | None = None
    """bip340: the message is signed for this leaf"""
    leaf_version: int | None = None
    """192 when absent, and no other is known"""
    control_block: str | None = None
    """of the leaf, as its witness shows it"""
    code_separator: int | None = None
    """position of the last executed OP_CODESEPARATOR among the opcodes of the leaf"""
    extra: Mapping[str, Any] = EMPTY
    """any other members, as on the wire"""


class RequestMetadata(Record):
    """What the co-signers are shown about a request; unknown members travel too."""

    _inner: ClassVar[Inner] = {"spentOutputs": (SpentOutput,), "spendPaths": (SpendPath,)}
    transaction_hex: str | None = None
    amount: int | None = None
    transaction_type: str | None = None
    purpose: str | None = None
    description: str | None = None
    spent_outputs: tuple[SpentOutput, ...] | None = None
    sighash_type: int | None = None
    spend_paths: tuple[SpendPath, ...] | None = None
    message_text: str | None = None
    """the message is BIP-340's tagged hash of this text under `messageTag`"""
    message_tag: str | None = None
    """of that hash; `signed-text/v1` when absent"""
    extra: Mapping[str, Any] = EMPTY
    """any other members, as on the wire"""


class Election(Record):
    """Who broadcasts first, and how long the others wait before it is their turn."""

    method: Literal["lexicographic", "hash-based", "first-signer", "last-signer"] = "lexicographic"
    broadcast_timeout_ms: int | None = None
    """5 minutes when absent"""


class ReviewedItem(Record):
    """A message of a request, and whether this daemon has found it to be what the request shows."""

    _inner: ClassVar[Inner] = {"tweaks": (TaprootTweak, PlainTweak)}
    message: str
    tweaks: tuple[TaprootTweak | PlainTweak, ...] = ()
    input_index: int | None = None
    aggregated_public_key: str
    checked: bool
    """the message is the hash of that input of `metadata.transactionHex`, and the input spends the aggregate key of
    exactly these signers with these tweaks; or it is the hash of `metadata.messageText`
    """
    unchecked_reason: (
        Literal[
            "no_transaction",
            "no_input_index",
            "transaction_unreadable",
            "no_such_input",
            "sighash_type",
            "spend_path",
            "script_mismatch",
            "message_mismatch",
            "text_unreadable",
        ]
        | None
    ) = None
    """`no_transaction` and `no_input_index` can be joined unless requireChecked, no other"""
    unchecked_message: str | None = None
    """what is wrong, where nobody can join"""
    uncovered: tuple[str, ...] | None = None
    """what the sighash type leaves open to change: `outputs`, `otherOutputs`, `otherInputs`"""


class RequestSigner(Record):
    """One required key, and how far its signer is."""

    public_key: str
    peer_id: str | None = None
    own: bool
    delivered: bool
    joined: bool
    declined: bool
    considering_since: int | None = None
    """its signer says that its owner was asked then and has not decided yet"""
    decline_reason: str | None = None
    """what its owner gave as the reason, if anything"""


class ReviewedInput(Record):
    """An output being spent; `signed`: by this request."""

    txid: str
    vout: int
    value: int
    script: str
    address: str | None = None
    sequence: int
    signed: bool


class ReviewedOutput(Record):
    """An output being made, and whether it comes back."""

    value: int
    script: str
    address: str | None = None
    returns: Literal["aggregate", "key"] | None = None
    """to an aggregated key of this request, or to `publicKey`, an own key alone"""
    public_key: str | None = None


class ReviewedTransaction(Record):
    """The transaction that a checked message signs. Amounts and fee are satoshis."""

    _inner: ClassVar[Inner] = {"inputs": (ReviewedInput,), "outputs": (ReviewedOutput,)}
    version: int
    lock_time: int
    inputs: tuple[ReviewedInput, ...]
    outputs: tuple[ReviewedOutput, ...]
    input_amount: int
    output_amount: int
    fee: int | None = None
    """absent where the signatures leave something open"""
    fee_rate: int | None = None
    """satoshis for 1 000 bytes of `size`"""
    size: int
    """bytes once it is signed, virtual ones on Bitcoin; an estimate where others sign inputs too"""


class Review(Record):
    """What the daemon found. `mismatch` cannot be joined; `blind`: nobody can see what at least one message is."""

    _inner: ClassVar[Inner] = {"transaction": (ReviewedTransaction,)}
    status: Literal["checked", "blind", "mismatch"]
    reason: (
        Literal[
            "no_transaction",
            "no_input_index",
            "transaction_unreadable",
            "no_such_input",
            "sighash_type",
            "spend_path",
            "script_mismatch",
            "message_mismatch",
            "text_unreadable",
        ]
        | None
    ) = None
    """of the first message that is not checked"""
    message: str | None = None
    uncovered: tuple[str, ...] | None = None
    """what any of the signatures leaves open to change; see `messages`"""
    transaction: ReviewedTransaction | None = None
    """there where a checked message signs it and nothing is a mismatch"""
    text: str | None = None
    """the text that is signed instead of a transaction"""
    text_tag: str | None = None


class OutsideCriterion(Record):
    """A criterion that an own key advertises and the request does not meet; a hint, nothing is refused for it."""

    public_key: str
    criterion: Literal["transactionTypes", "minAmount", "maxAmount"]
    message: str


class SigningRequest(Record):
    """A request and its state. `message` and `tweaks` are those of the first item."""

    _inner: ClassVar[Inner] = {
        "messages": (ReviewedItem,),
        "tweaks": (TaprootTweak, PlainTweak),
        "election": (Election,),
        "signers": (RequestSigner,),
        "review": (Review,),
        "outsideCriteria": (OutsideCriterion,),
    }
    request_id: str
    session_id: str
    attempt: int
    state: Literal["open", "signing", "complete", "declined", "cancelled", "expired", "failed"]
    scheme: Literal["lotus", "bip340"]
    required_public_keys: tuple[str, ...]
    messages: tuple[ReviewedItem, ...]
    message: str
    tweaks: tuple[TaprootTweak | PlainTweak, ...]
    aggregated_public_key: str
    creator: str
    created_at: int
    expires_at: int
    metadata: Mapping[str, Any]
    election: Election | None = None
    signers: tuple[RequestSigner, ...]
    partial_released: bool
    review: Review | None = None
    """what is signed, as this daemon has checked and decoded it"""
    outside_criteria: tuple[OutsideCriterion, ...] = ()
    """what own keys do not advertise to do, going by what `metadata` states"""
    reason: str | None = None
    """why it ended without a signature"""
    cancel_reason: str | None = None
    """what its creator gave as the reason, if anything"""
    signature: str | None = None
    signatures: tuple[str, ...] | None = None
    envelope: str


class Announced(Record):
    """The request is stored and on its way; its creator has joined."""

    _inner: ClassVar[Inner] = {"request": (SigningRequest,)}
    seq: int | None = None
    """position of the event log after the change"""
    request_id: str
    session_id: str
    request: SigningRequest


class RequestList(Record):
    """A page of requests, newest first; of those that wait, the ones of known creators before all others."""

    _inner: ClassVar[Inner] = {"requests": (SigningRequest,)}
    requests: tuple[SigningRequest, ...]
    known_creators: tuple[str, ...] = ()
    """which creators on this page are own keys, pinned ones, contacts, or have signed with this daemon"""
    next_cursor: str | None = None


class Joined(Record):
    """The current attempt, and the keys that have joined it."""

    seq: int | None = None
    """position of the event log after the change"""
    request_id: str
    session_id: str
    joined: tuple[str, ...]


class Declined(Record):
    """It is declined."""

    seq: int | None = None
    """position of the event log after the change"""
    declined: bool


class ChangedRequest(SigningRequest):
    """The request after the change."""

    seq: int | None = None
    """position of the event log after the change"""


class Dismissed(Record):
    """Whether it is out of lists."""

    seq: int | None = None
    """position of the event log after the change"""
    request_id: str
    dismissed: bool


class Muted(Record):
    """Whether its requests are kept away."""

    seq: int | None = None
    """position of the event log after the change"""
    public_key: str
    muted: bool


class MutedCreator(Record):
    """A creator whose requests are not taken."""

    public_key: str
    since: int
    for_public_keys: tuple[str, ...] | None = None
    """the own keys for which it is muted; absent: for all"""


class MutedList(Record):
    """Muted creators, oldest first."""

    _inner: ClassVar[Inner] = {"creators": (MutedCreator,)}
    creators: tuple[MutedCreator, ...]


class GivenApproval(Record):
    """A token that said yes; the label is what `createToken` gave it, `owner` for the cookie and the socket."""

    label: str
    at: int
    until: int | None = None
    own: bool = False
    """the token of this call said it"""


class PendingApproval(Record):
    """A request that waits for the yes of an owner of this key."""

    _inner: ClassVar[Inner] = {"approvals": (GivenApproval,), "request": (SigningRequest,)}
    public_key: str
    rule: str | None = None
    """the rule that asks; absent: the default, or no policy"""
    line: int | None = None
    message: str
    approvals_needed: int
    approvals_given: int = 0
    """how many of `approvals` count"""
    approvals_of: tuple[str, ...] = ()
    """the labels whose approval counts; empty: any token's"""
    approvals: tuple[GivenApproval, ...] = ()
    request: SigningRequest


class PendingApprovals(Record):
    """A page of them, newest request first."""

    _inner: ClassVar[Inner] = {"pending": (PendingApproval,)}
    pending: tuple[PendingApproval, ...]
    next_cursor: str | None = None


class Approved(Record):
    """How many have said yes, and whether that was enough, so that the key has joined."""

    _inner: ClassVar[Inner] = {"approvals": (GivenApproval,)}
    seq: int | None = None
    """position of the event log after the change"""
    request_id: str
    public_key: str
    approvals_needed: int
    approvals_given: int = 0
    """how many of `approvals` count"""
    approvals_of: tuple[str, ...] = ()
    """the labels whose approval counts; empty: any token's"""
    approvals: tuple[GivenApproval, ...]
    joined: bool


class WeighedCondition(Record):
    """One condition of a rule, and the value that it met; `value` is absent where nothing is known."""

    rule: str
    member: str
    line: int
    limit: Any
    value: Any | None = None
    holds: bool


class PolicyExplained(Record):
    """What the policy says at this moment; nothing is changed by asking."""

    _inner: ClassVar[Inner] = {"approvals": (GivenApproval,), "weighed": (WeighedCondition,)}
    request_id: str
    public_key: str
    active: bool
    """false: there is no policy, every join waits for its owner"""
    verdict: Literal["join", "ask", "refuse"]
    rule: str | None = None
    """the rule that decided; absent: the default"""
    line: int | None = None
    """where it stands in the file"""
    message: str
    approved: bool
    """an owner has said yes, as far as the policy asks"""
    approvals_needed: int = 1
    approvals_given: int = 0
    """how many of `approvals` count"""
    approvals_of: tuple[str, ...] = ()
    """the labels whose approval counts; empty: any token's"""
    approvals: tuple[GivenApproval, ...] = ()
    values: Mapping[str, Any]
    """what the rules look at, as far as it is known"""
    weighed: tuple[WeighedCondition, ...] = ()
    """the conditions of all rules up to the one that decided, in order"""


class RuleInFile(Record):
    """A rule and its line, of the file as it is now; of the rules in force where it was `removed`."""

    rule: str
    line: int
    verdict: Literal["join", "ask", "refuse"]
    change: Literal["same", "new", "changed", "moved", "removed"]
    """moved: it says the same, and stands before or after others than it did"""


class ForeseenRequest(Record):
    """A request that would fare otherwise for an own key than it does now."""

    request_id: str
    public_key: str
    outcome: Literal["joined", "declined", "waits", "held-back"]
    """waits: for its owner, under another rule or other approvals; held-back: it has joined, and would not sign"""
    rule: str | None = None
    """the rule that would decide; absent: the default"""
    line: int | None = None
    """where it stands in the file"""
    message: str


class PolicyDryRun(Record):
    """What a reload would change. Keys that are locked or paused are left out, as a reload passes them by."""

    _inner: ClassVar[Inner] = {"rules": (RuleInFile,), "requests": (ForeseenRequest,)}
    policy: str
    """digest of the file as it is now, `none` where there is none"""
    in_force: str
    """digest of the file that is in force, or `none`"""
    rules: tuple[RuleInFile, ...]
    requests: tuple[ForeseenRequest, ...]
    """at most 100, in the order in which they would be considered"""
    more_requests: int = 0
    """how many there are besides"""


class PolicyReloaded(Record):
    """The rules in force; with `dryRun` those that would be."""

    _inner: ClassVar[Inner] = {"dryRun": (PolicyDryRun,)}
    seq: int | None = None
    """position of the event log after the change"""
    active: bool
    rules: tuple[str, ...]
    """their names, in order"""
    default: Literal["join", "ask", "refuse"]
    dry_run: PolicyDryRun | None = None
    """only with `dryRun`: then nothing was changed"""
