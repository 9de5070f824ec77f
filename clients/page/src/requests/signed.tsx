import type { ReviewedTransaction, SigningRequest } from "musigd-client";
import { Table } from "../parts/table.js";
import { reviewOf } from "./shown.js";
import { Badge, coins, Id, Lines, Moment, Said, sats, Whole } from "../parts/text.js";

const KNOWN = new Set(["transactionHex", "spentOutputs", "amount", "transactionType", "purpose", "description", "messageText", "messageTag"]);

/** What is signed: what the daemon itself has decoded and checked first, then what its creator says of it. */
export function Signed({ request }: { request: SigningRequest }) {
  const { transaction, text, textTag } = reviewOf(request);
  return (
    <section aria-labelledby="what">
      <h2 id="what">What is signed</h2>
      {transaction && <TransactionTables transaction={transaction} scheme={request.scheme} />}
      {text !== undefined && <figure><figcaption>A text{textTag && <>, under the tag <Said text={textTag} /></>}</figcaption><pre><Lines text={text} /></pre></figure>}
      {!transaction && text === undefined && <p>Nothing that was checked can be shown{"transactionHex" in request.metadata
        && ": the request carries a transaction, but what is signed is not tied to it"}.</p>}
      <details>
        <summary>Messages ({request.messages.length})</summary>
        <Table caption="Messages" rows={request.messages} keyOf={(item) => `${item.inputIndex ?? ""}/${item.message}`}
          columns={[
            { name: "32 bytes", heads: true, cell: (item) => <Whole hex={item.message} /> },
            { name: "Input", cell: (item) => item.inputIndex ?? "none named" },
            { name: "Found", cell: (item) => item.checked ? <Badge kind="good">checked</Badge> : <Badge kind="warn">{item.uncheckedReason ?? "unchecked"}</Badge> },
          ]} />
      </details>
      <h3>What its creator says</h3>
      <Words request={request} />
    </section>
  );
}

function Words({ request }: { request: SigningRequest }) {
  const { metadata, scheme } = request;
  const others = Object.entries(metadata).filter(([name]) => !KNOWN.has(name));
  const said = (["transactionType", "purpose", "description"] as const).filter((name) => typeof metadata[name] === "string");
  const amount = metadata["amount"];
  return (
    <dl>
      {typeof amount === "number" && <><dt>Amount, as its creator says</dt><dd>{sats(amount)} ({coins(amount, scheme)})</dd></>}
      {said.map((name) => <><dt key={name}>{name}</dt><dd><Lines text={metadata[name]} /></dd></>)}
      {others.map(([name, value]) => <><dt key={name}><Said text={name} /></dt><dd><Said text={JSON.stringify(value).slice(0, 2_000)} /></dd></>)}
    </dl>
  );
}

function TransactionTables({ transaction, scheme }: { transaction: ReviewedTransaction; scheme: SigningRequest["scheme"] }) {
  const { fee, feeRate, lockTime, size } = transaction;
  const inputs = transaction.inputs.map((input, index) => ({ ...input, index }));
  const outputs = transaction.outputs.map((output, index) => ({ ...output, index }));
  return (
    <>
      <Table caption="Inputs" rows={inputs} keyOf={(input) => String(input.index)}
        columns={[
          { name: "Input", heads: true, cell: (input) => input.index },
          { name: "Amount", cell: (input) => <Sum amount={input.value} scheme={scheme} /> },
          { name: "From", cell: (input) => <Place {...input} /> },
          { name: "Spends", cell: (input) => <><Id id={input.txid} />:{input.vout}</> },
          { name: "Ours", cell: (input) => input.signed ? <Badge kind="good">ours, signed here</Badge> : <span class="dim">no</span> },
        ]} />
      <Table caption="Outputs" rows={outputs} keyOf={(output) => String(output.index)}
        columns={[
          { name: "Output", heads: true, cell: (output) => output.index },
          { name: "Amount", cell: (output) => <Sum amount={output.value} scheme={scheme} /> },
          { name: "To", cell: (output) => <Place {...output} /> },
          { name: "Comes back", cell: ({ returns, publicKey }) => returns === "aggregate" ? <Badge kind="plain">to these signers</Badge>
            : returns === "key" ? <><Badge kind="plain">to an own key</Badge> {publicKey && <Id id={publicKey} />}</> : <span class="dim">no</span> },
        ]} />
      <p class="fee">Fee: <strong>{fee === undefined ? "open, the signatures leave parts to change" : sats(fee)}</strong>
        {fee !== undefined && <> ({coins(fee, scheme)})</>}{feeRate !== undefined && <>, {feeRate} sat for 1,000 of {size} bytes</>}
        {lockTime > 0 && <>. Not before {lockTime < 500_000_000 ? `block ${lockTime}` : <Moment at={lockTime * 1_000} />}</>}.</p>
    </>
  );
}

function Sum({ amount, scheme }: { amount: number; scheme: SigningRequest["scheme"] }) {
  return <span title={coins(amount, scheme)}>{sats(amount)}</span>;
}

function Place({ address, script }: { address?: string; script: string }) {
  return address ? <Whole hex={address} /> : <>script <Whole hex={script} /></>;
}
