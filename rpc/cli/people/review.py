"""The review of a request as text, for a person to read before signing.

What others wrote comes first and stands behind a bar, line by line: however long it is and whatever it imitates, what
was checked is below it, next to the question.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from config.text.plain_text import escaped
from rpc.cli.people.consent import policy_lines
from rpc.cli.people.waiting import duration

_NO_POLICY: Final[Mapping[str, Mapping[str, Any]]] = {}
_RETURNS: Final = {"aggregate": "returns to these signers together", "key": "returns to a key of yours"}
BAR: Final = "  | "
LEAST_WIDTH: Final = 40
_BLIND: Final = "NOBODY CAN TELL WHAT IS SIGNED: the request shows no transaction. It is a blank cheque."


def review_text(request: Mapping[str, Any], policy: Mapping[str, Mapping[str, Any]] = _NO_POLICY) -> str:
    """The signers, the words of others, the inputs and outputs, what stays open, and the policy's verdict.

    `policy`: what `explainPolicy` says, by own key.
    """
    blocks = [_who(request), list(_words(request)), list(_why_it_ended(request)), *_what(request)]
    blocks += [_ruling(key, told) for key, told in policy.items()]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _ruling(key: str, told: Mapping[str, Any]) -> list[str]:
    lines = policy_lines(told)
    return [f"your policy, for {key}", *(f"  {line}" for line in lines)] if lines else []


def _who(request: Mapping[str, Any]) -> list[str]:
    ends = duration(request["expiresAt"] - time.time() * 1000)
    why = f" ({escaped(str(request['reason']))})" if request.get("reason") else ""
    lines = [
        f"request   {request['requestId']}",
        f"state     {request['state']}{why}, attempt {request['attempt']}, {request['scheme']}, expires in {ends}",
        f"signs as  {request['aggregatedPublicKey']}",
        "signers",
    ]
    for signer in request["signers"]:
        said = [
            *(["yours"] if signer["own"] else []),
            *(["asks"] if signer["publicKey"] == request["creator"] else []),
            _answer(signer),
        ]
        lines.append(f"  {signer['publicKey']}  {', '.join(said)}")
    return lines


def _answer(signer: Mapping[str, Any]) -> str:
    if signer["joined"] or signer["declined"]:
        return "joined" if signer["joined"] else "declined"
    if "consideringSince" not in signer:
        return "not joined"
    return f"waits for its owner, asked {duration(time.time() * 1000 - signer['consideringSince'])} ago"


def _what(request: Mapping[str, Any]) -> Iterator[list[str]]:
    review = request.get("review") or {"status": "blind"}
    if "text" in review:
        yield ["the text that is signed", *quoted(str(review["text"]))]
    if "transaction" in review:
        yield list(_transaction(review["transaction"]))
    yield list(_warnings(request, review))


def _transaction(transaction: Mapping[str, Any]) -> Iterator[str]:
    yield "spends"
    yield from _puts(transaction["inputs"], lambda put: "signed by this request" if put["signed"] else "")
    yield "pays"
    yield from _puts(transaction["outputs"], lambda put: _RETURNS.get(str(put.get("returns")), ""))
    if "fee" in transaction:
        yield f"fee\n  {sats(transaction['fee'])}, {sats(transaction['feeRate'])} for 1 000 bytes"


def _puts(puts: Sequence[Mapping[str, Any]], note: Any) -> Iterator[str]:
    width = max((len(sats(put["value"])) for put in puts), default=0)
    for put in puts:
        where = put.get("address") or f"script {put['script']}"
        yield f"  {sats(put['value']):>{width}}  {where}  {note(put)}".rstrip()


def _warnings(request: Mapping[str, Any], review: Mapping[str, Any]) -> Iterator[str]:
    match review["status"]:
        case "mismatch":
            yield f"IT SIGNS SOMETHING ELSE THAN IT SHOWS; nobody can join: {escaped(str(review.get('message', '')))}"
        case "blind":
            yield _BLIND
        case _:
            yield "Checked: the messages are the hashes of what is shown here."
    if review.get("uncovered"):
        yield f"LEFT OPEN, others may change it after you have signed: {', '.join(map(escaped, review['uncovered']))}"
    if "transaction" in review and "fee" not in review["transaction"]:
        yield "The fee is not known: the signatures leave something open."
    for each in request.get("outsideCriteria") or ():
        yield f"Not what {each['publicKey']} advertises: {escaped(str(each['message']))}"


def _words(request: Mapping[str, Any]) -> Iterator[str]:
    told = request.get("metadata") or {}
    said = {name: told[name] for name in ("transactionType", "amount", "purpose", "description") if name in told}
    if said:
        yield "the creator's words, which nobody has checked"
    for name, value in said.items():
        yield from quoted(f"{name}: {sats(value) if name == 'amount' and isinstance(value, int) else value}")


def _why_it_ended(request: Mapping[str, Any]) -> Iterator[str]:
    told = [(signer["publicKey"], "declined", signer.get("declineReason")) for signer in request["signers"]]
    for key, did, reason in [*told, (request["creator"], "cancelled", request.get("cancelReason"))]:
        if reason:
            yield f"why {key} {did}"
            yield from quoted(str(reason))


def quoted(text: str) -> Iterator[str]:
    """The text behind a bar, broken before the terminal would break it; every line of it has the bar."""
    width = max(LEAST_WIDTH, shutil.get_terminal_size((100, 24)).columns) - len(BAR) - 1
    for line in text.split("\n"):
        row, used = "", 0
        for char in escaped(line):
            size = 1 if char.isascii() else 2  # as wide as it may be
            if used + size > width:
                yield BAR + row
                row, used = "", 0
            row += char
            used += size
        yield BAR + row


def sats(value: int) -> str:
    """An amount."""
    return f"{value:,} sats"
