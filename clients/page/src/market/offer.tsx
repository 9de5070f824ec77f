import type { AdvertiseSigner, Key } from "musigd-client";
import { useState } from "preact/hooks";
import { useDaemon, useLive } from "../live.js";
import { Press, Problem, useAction } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Id, Moment, plain, Said } from "../parts/text.js";
import { TYPES } from "./filters.js";

/** Offers an own key, and takes offers back. */
export function OfferForm() {
  const daemon = useDaemon();
  const keys = useLive(async () => (await daemon.client.listKeys()).keys, ["key", "everything"]);
  const own = useLive(async () => (await daemon.client.listAdvertisements()).advertisements, ["signer:advertised", "signer:withdrawn", "directory"]);
  const withdraw = (publicKey: string) => (): Promise<unknown> => daemon.client.withdrawAdvertisement({ publicKey });
  return (
    <section aria-labelledby="offer">
      <h2 id="offer">Your offers</h2>
      <Problem text={keys.problem || own.problem} />
      <Table caption="Own advertisements" rows={own.data ?? []} keyOf={(each) => each.publicKey} empty="You offer nothing yet."
        columns={[
          { name: "Key", heads: true, cell: (each) => <Id id={each.publicKey} /> },
          { name: "Signs", cell: (each) => <Said text={each.criteria.transactionTypes.join(", ")} /> },
          { name: "Until", cell: (each) => <Moment at={each.expiresAt} /> },
          { name: "", cell: (each) => daemon.may("withdrawAdvertisement") && <Press call={withdraw(each.publicKey)}>Withdraw</Press> },
        ]} />
      <details>
        <summary>Offer a key</summary>
        {keys.data && (keys.data.length ? <Form keys={keys.data} /> : <p>There is no key yet; the Node view makes one.</p>)}
      </details>
    </section>
  );
}

function Form({ keys }: { keys: readonly Key[] }) {
  const daemon = useDaemon();
  const action = useAction();
  const [done, setDone] = useState("");
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const params = offerOf(new FormData(event.currentTarget as HTMLFormElement));
    setDone("");
    let reached = 0;
    if (await action.run(async () => { reached = (await daemon.client.advertiseSigner(params)).reach.direct; })) {
      setDone(`Offered; ${reached} peers took it at once.`);
    }
  };
  return (
    <form class="grid" onSubmit={(event) => void submit(event as SubmitEvent)}>
      <label>Key
        <select name="key" required>{keys.map((key) => <option key={key.publicKey} value={key.publicKey}>{keyName(key)}</option>)}</select>
      </label>
      <fieldset><legend>Signs</legend>
        {TYPES.map((type) => <label key={type} class="check"><input type="checkbox" name="type" value={type} defaultChecked={type === "spend"} />{type}</label>)}
      </fieldset>
      <label>From (sat)<input name="min" type="number" min={0} /></label>
      <label>To (sat)<input name="max" type="number" min={0} /></label>
      <label>Fee per signature (sat)<input name="fees" type="number" min={0} /></label>
      <label>Name shown to others<input name="nickname" maxLength={100} /></label>
      <label>Purpose<input name="purpose" maxLength={2000} /></label>
      <button class="main" disabled={action.busy}>Offer</button>
      <Problem text={action.problem} />
      <p role="status">{done}</p>
    </form>
  );
}

export function keyName(key: Key): string {
  return `${plain(key.label) || "no label"} · ${key.scheme} · ${key.publicKey.slice(0, 12)}…${key.paused ? " (paused)" : ""}`;
}

function offerOf(form: FormData): AdvertiseSigner {
  const text = (name: string): string => String(form.get(name) ?? "").trim();
  const number = (name: string): number | undefined => (text(name) ? Number(text(name)) : undefined);
  const [min, max, fees] = [number("min"), number("max"), number("fees")];
  return {
    publicKey: text("key"),
    criteria: {
      transactionTypes: form.getAll("type").map(String),
      ...(min !== undefined && { minAmount: min }),
      ...(max !== undefined && { maxAmount: max }),
    },
    metadata: {
      ...(text("nickname") && { nickname: text("nickname") }),
      ...(text("purpose") && { purpose: text("purpose") }),
      ...(fees !== undefined && { fees }),
    },
  };
}
