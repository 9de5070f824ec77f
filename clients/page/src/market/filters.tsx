// Every filter of findAvailableSigners, in the address.
import type { FindAvailableSigners } from "musigd-client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { refine } from "../router.js";

export const TYPES = ["spend", "swap", "coinjoin", "custody", "escrow", "channel"];

type Filters = Pick<FindAvailableSigners,
  "transactionType" | "purpose" | "scheme" | "minAmount" | "maxAmount" | "minReputation" | "includeOwn">;

/** The filters that an address holds; what is no number is no filter. */
export function filtersOf(query: URLSearchParams): Filters {
  const filters: Filters = { includeOwn: query.get("own") !== "no" };
  const type = query.get("type")?.trim();
  const purpose = query.get("purpose")?.trim();
  const scheme = query.get("scheme");
  if (type) filters.transactionType = type;
  if (purpose) filters.purpose = purpose;
  if (scheme === "lotus" || scheme === "bip340") filters.scheme = scheme;
  const numbers = { min: "minAmount", max: "maxAmount", reputation: "minReputation" } as const;
  for (const [short, name] of Object.entries(numbers) as [keyof typeof numbers, "minAmount" | "maxAmount" | "minReputation"][]) {
    const text = query.get(short);
    if (text && /^\d{1,15}$/.test(text)) filters[name] = Number(text);
  }
  return filters;
}

const TYPING_MS = 400;

/** A filter that is typed: it counts when its reader has paused or moved on. What comes from the daemon meanwhile leaves it alone. */
function Typed({ label, name, query, ...field }: { label: string; name: string; query: URLSearchParams } & JSX.IntrinsicElements["input"]) {
  const given = query.get(name) ?? "";
  const [text, setText] = useState(given);
  const commit = (): void => {
    if (text !== given) refine({ [name]: text, page: undefined });
  };
  useEffect(() => setText(given), [given]);
  useEffect(() => {
    const timer = setTimeout(commit, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return <label>{label}<input {...field} placeholder="any" value={text} onInput={(event) => setText(event.currentTarget.value)} onChange={commit} /></label>;
}

export function FilterBar({ query, refresh, refreshing }: { query: URLSearchParams; refresh: () => void; refreshing: boolean }) {
  return (
    <form class="filters" role="search" aria-label="Filter signers" onSubmit={(event) => event.preventDefault()}>
      <Typed label="Type" name="type" query={query} list="types" pattern="[a-z0-9\-]{1,32}" />
      <datalist id="types">{TYPES.map((type) => <option key={type} value={type} />)}</datalist>
      <label>Scheme
        <select value={query.get("scheme") ?? ""} onChange={(event) => refine({ scheme: event.currentTarget.value, page: undefined })}>
          <option value="">any</option><option value="lotus">lotus</option><option value="bip340">bip340</option>
        </select>
      </label>
      <Typed label="Takes (sat)" name="min" query={query} type="number" min={0} />
      <Typed label="and (sat)" name="max" query={query} type="number" min={0} />
      <Typed label="Reputation here, at least" name="reputation" query={query} type="number" min={0} max={100} />
      <Typed label="Purpose, in full" name="purpose" query={query} maxLength={2000} />
      <label class="check">
        <input type="checkbox" checked={query.get("own") !== "no"} onChange={(event) => refine({ own: event.currentTarget.checked ? undefined : "no", page: undefined })} />
        Own keys too
      </label>
      <button type="button" disabled={refreshing} onClick={refresh}>{refreshing ? "Asking …" : "Ask the network"}</button>
    </form>
  );
}
