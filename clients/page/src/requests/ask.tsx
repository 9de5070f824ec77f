import type { AnnounceSigningRequest, Key } from "musigd-client";
import { useState } from "preact/hooks";
import { useDaemon, useLive } from "../live.js";
import { TYPES } from "../market/filters.js";
import { keyName } from "../market/offer.js";
import { Problem, useAction } from "../parts/action.js";
import { Id } from "../parts/text.js";
import { go } from "../router.js";

/** Asks signers, those chosen in the market, for a signature together with an own key. */
export function AskForm({ signers }: { signers: readonly string[] }) {
  const daemon = useDaemon();
  const keys = useLive(async () => (await daemon.client.listKeys()).keys, ["key"]);
  return (
    <>
      <h1 tabIndex={-1}>Ask for a signature</h1>
      <p>With: {signers.length ? signers.map((signer) => <><Id key={signer} id={signer} /> </>) : <>nobody yet; choose signers in the <a href="/market">market</a>, or name keys below</>}</p>
      <Problem text={keys.problem} />
      {keys.data === undefined ? <p role="status">Loading …</p> : keys.data.length === 0
        ? <p>There is no own key yet; the <a href="/node">Node view</a> makes one.</p> : <Form signers={signers} keys={keys.data} />}
    </>
  );
}

function Form({ signers, keys }: { signers: readonly string[]; keys: readonly Key[] }) {
  const daemon = useDaemon();
  const action = useAction();
  const [shows, setShows] = useState(true);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    let requestId = "";
    const asked = await action.run(async () => { requestId = (await daemon.client.announceSigningRequest(paramsOf(form))).requestId; });
    if (asked) go(`/requests/${requestId}`);
  };
  return (
    <form class="grid" onSubmit={(event) => void submit(event as SubmitEvent)}>
      <label>Own key
        <select name="key" required>{keys.map((key) => <option key={key.publicKey} value={key.publicKey}>{keyName(key)}</option>)}</select>
      </label>
      <label>Keys of the others<textarea name="others" rows={3} required defaultValue={signers.join("\n")} spellcheck={false} /></label>
      <label>Message to sign (32 bytes hex)<input name="message" required pattern="[0-9a-f]{64}" spellcheck={false} /></label>
      <label class="check"><input type="checkbox" checked={shows} onChange={(event) => setShows(event.currentTarget.checked)} />It is the hash of a transaction</label>
      {shows && (
        <>
          <label>Transaction (hex)<textarea name="transaction" rows={4} required spellcheck={false} /></label>
          <label>Outputs that its inputs spend, one per line: amount in sat, space, script in hex<textarea name="spent" rows={2} required spellcheck={false} /></label>
          <label>Input that the message belongs to<input name="input" type="number" min={0} defaultValue="0" required /></label>
          <label>Output tweak
            <select name="tweak"><option value="key">key path only</option><option value="none">none</option></select>
          </label>
        </>
      )}
      <label>Type<input name="type" list="types" pattern="[a-z0-9\-]{1,32}" /></label>
      <datalist id="types">{TYPES.map((type) => <option key={type} value={type} />)}</datalist>
      <label>Amount (sat)<input name="amount" type="number" min={0} /></label>
      <label>Purpose, for the others to read<input name="purpose" maxLength={2000} /></label>
      <label>Valid for (hours)<input name="hours" type="number" min={1} max={168} defaultValue="24" required /></label>
      <label class="check"><input type="checkbox" name="byHand" />I start each round myself, in the session's view</label>
      <button class="main" disabled={action.busy}>{action.busy ? "Asking …" : "Ask"}</button>
      <Problem text={action.problem} />
    </form>
  );
}

function paramsOf(form: FormData): AnnounceSigningRequest {
  const text = (name: string): string => String(form.get(name) ?? "").trim();
  const others = text("others").split(/[\s,]+/).filter(Boolean);
  const purpose = text("purpose");
  const transaction = text("transaction");
  const shown = transaction ? { transactionHex: transaction, spentOutputs: spentOf(text("spent")) } : {};
  return {
    requiredPublicKeys: [text("key"), ...others],
    publicKey: text("key"),
    message: text("message"),
    ttl: Number(text("hours")) * 3_600_000,
    autoAdvance: form.get("byHand") === null,
    metadata: {
      ...shown,
      ...(purpose && { purpose }),
      ...(text("type") && { transactionType: text("type") }),
      ...(text("amount") && { amount: Number(text("amount")) }),
    },
    ...(transaction && { inputIndex: Number(text("input")) }),
    ...(text("tweak") === "key" && { tweaks: [{ taprootMerkleRoot: null }] }),
  };
}

function spentOf(lines: string): { value: number; script: string }[] {
  return lines.split("\n").filter((line) => line.trim()).map((line) => {
    const [value = "", script = ""] = line.trim().split(/\s+/);
    return { value: Number(value), script };
  });
}
