// Every filter of findAvailableSigners, in the address.
import type { FindAvailableSigners } from "musigd-client";
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

export function FilterBar({ query, refresh, refreshing }: { query: URLSearchParams; refresh: () => void; refreshing: boolean }) {
  const set = (name: string) => (event: Event): void =>
    refine({ [name]: (event.currentTarget as HTMLInputElement | HTMLSelectElement).value, page: undefined });
  const value = (name: string): string => query.get(name) ?? "";
  return (
    <form class="filters" role="search" aria-label="Filter signers" onSubmit={(event) => event.preventDefault()}>
      <label>Type<input list="types" pattern="[a-z0-9\-]{1,32}" placeholder="any" value={value("type")} onChange={set("type")} /></label>
      <datalist id="types">{TYPES.map((type) => <option key={type} value={type} />)}</datalist>
      <label>Scheme
        <select value={value("scheme")} onChange={set("scheme")}>
          <option value="">any</option><option value="lotus">lotus</option><option value="bip340">bip340</option>
        </select>
      </label>
      <label>Takes (sat)<input type="number" min={0} placeholder="any" value={value("min")} onChange={set("min")} /></label>
      <label>and (sat)<input type="number" min={0} placeholder="any" value={value("max")} onChange={set("max")} /></label>
      <label>Reputation here, at least
        <input type="number" min={0} max={100} placeholder="any" value={value("reputation")} onChange={set("reputation")} />
      </label>
      <label>Purpose, in full<input maxLength={2000} placeholder="any" value={value("purpose")} onChange={set("purpose")} /></label>
      <label class="check">
        <input type="checkbox" checked={value("own") !== "no"} onChange={(event) => refine({ own: event.currentTarget.checked ? undefined : "no" })} />
        Own keys too
      </label>
      <button type="button" disabled={refreshing} onClick={refresh}>{refreshing ? "Asking …" : "Ask the network"}</button>
    </form>
  );
}
