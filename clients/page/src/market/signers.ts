// The signers of the market: all that match, in the order wanted.
import type { Advertisement, Calls } from "musigd-client";
import type { Daemon } from "../daemon.js";
import type { Order } from "../parts/table.js";
import { filtersOf } from "./filters.js";

const FIRST = 100;
const PAGE = 500;
/** More are not loaded: who looks for one among them narrows the filters. */
export const MOST = 5_000;

export interface Market {
  signers: readonly Advertisement[];
  /** How many the directory holds, those that do not match among them. */
  directory: number;
  /** False while more are being loaded, or where there are more than the page takes. */
  complete: boolean;
  /** Peers that are connected now. */
  peers: ReadonlySet<string>;
}

/** Loads page by page and shows what is there already. */
export async function loadMarket(daemon: Daemon, query: URLSearchParams, show: (part: Market) => void, signal: AbortSignal): Promise<Market> {
  const filters = filtersOf(query);
  const peers = daemon.client.listPeers({}, { signal });
  const signers: Advertisement[] = [];
  let cursor: string | undefined;
  for (;;) {
    const params = { ...filters, maxResults: cursor === undefined ? FIRST : PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const found: Calls["findAvailableSigners"][1] = await daemon.client.findAvailableSigners(params, { signal });
    signers.push(...found.signers);
    cursor = found.nextCursor;
    const online = new Set((await peers).peers.map((peer) => peer.peerId));
    const market = { signers: [...signers], directory: found.sources["directory"] ?? 0, complete: cursor === undefined, peers: online };
    if (cursor === undefined || signers.length >= MOST) return market;
    show(market);
  }
}

/** Online: own keys and those at a connected peer. Of others nothing is known until somebody asks. */
export function isOnline(signer: Advertisement, market: Market): boolean {
  return signer.own || market.peers.has(signer.peerId);
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** What a signer says of itself; nothing of it is proved. */
export function claimOf(signer: Advertisement): { score?: number; completed?: number } {
  const said = signer.metadata?.["reputation"];
  if (typeof said !== "object" || said === null) return {};
  const { score, completedSignings } = said as Record<string, unknown>;
  return { ...(typeof score === "number" && { score }), ...(typeof completedSignings === "number" && { completed: completedSignings }) };
}

const VALUES: Record<string, (signer: Advertisement, market: Market) => string | number> = {
  name: (signer) => textOf(signer.metadata?.["nickname"]).toLowerCase() || "\uffff",
  types: (signer) => signer.criteria.transactionTypes.join(" "),
  min: (signer) => signer.criteria.minAmount ?? 0,
  max: (signer) => signer.criteria.maxAmount ?? Infinity,
  fees: (signer) => numberOf(signer.metadata?.["fees"]) ?? 0,
  seen: (signer) => signer.localReputation?.score ?? -1,
  claimed: (signer) => claimOf(signer).score ?? -1,
  age: (signer) => -signer.timestamp,
  online: (signer, market) => (isOnline(signer, market) ? 0 : 1),
};

export function orderOf(query: URLSearchParams): Order {
  const by = query.get("sort") ?? "age";
  return { by: by in VALUES ? by : "age", descending: query.get("order") === "down" };
}

export function inOrder(market: Market, { by, descending }: Order): Advertisement[] {
  const value = VALUES[by]!;
  const sign = descending ? -1 : 1;
  const keyed = market.signers.map((signer) => [value(signer, market), signer] as const);
  keyed.sort(([a], [b]) => sign * (a < b ? -1 : a > b ? 1 : 0));
  return keyed.map(([, signer]) => signer);
}
