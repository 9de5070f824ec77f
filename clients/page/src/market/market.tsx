import type { Advertisement } from "musigd-client";
import { useState } from "preact/hooks";
import { useDaemon, useLive } from "../live.js";
import { Problem, useAction } from "../parts/action.js";
import { paged, Pages, Table, type Column } from "../parts/table.js";
import { Badge, coins, count, Id, Moment, Said, sats, span } from "../parts/text.js";
import { go, refine } from "../router.js";
import { FilterBar, filtersOf } from "./filters.js";
import { OfferForm } from "./offer.js";
import { claimOf, inOrder, isOnline, loadMarket, MOST, numberOf, orderOf, textOf, type Market as Loaded } from "./signers.js";
import { SupplyPicture } from "./supply.js";

const TOPICS = ["directory", "signer", "peer:connected", "peer:disconnected"];

/** Who can sign: live, by every filter that the daemon has. */
export function Market({ query }: { query: URLSearchParams }) {
  const daemon = useDaemon();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const asking = useAction();
  const { data, problem, reload } = useLive<Loaded>(
    (show, signal) => loadMarket(daemon, query, show, signal), TOPICS, JSON.stringify(filtersOf(query)));
  const refresh = (): void => void asking.run(async () => {
    await daemon.client.findAvailableSigners({ refresh: true, maxResults: 1 });
    reload();
  });
  const choose = (key: string, wanted: boolean): void => {
    const next = new Set(chosen);
    if (wanted) next.add(key);
    else next.delete(key);
    setChosen(next);
  };
  return (
    <>
      <h1 tabIndex={-1}>Market</h1>
      <FilterBar query={query} refresh={refresh} refreshing={asking.busy} />
      <Problem text={problem || asking.problem} />
      {data === undefined ? <p role="status">Loading …</p> : (
        <>
          <SupplyPicture signers={data.signers} />
          <p class="bar">
            <span role="status">{summary(data)}</span>
            {daemon.may("announceSigningRequest") && (
              <button type="button" class="main" disabled={chosen.size === 0} onClick={() => go(`/requests/new?with=${[...chosen].join(",")}`)}>
                Ask {chosen.size ? count(chosen.size, "signer") : "those chosen"} to sign
              </button>
            )}
          </p>
          <Signers market={data} query={query} chosen={chosen} choose={choose} />
        </>
      )}
      {daemon.may("advertiseSigner") && <OfferForm />}
    </>
  );
}

function summary(market: Loaded): string {
  const found = `${count(market.signers.length, "signer")} of ${market.directory} in the directory`;
  if (market.complete) return found;
  return market.signers.length >= MOST ? `${found}; there are more, narrow the filters` : `${found}; loading more …`;
}

interface SignersProps {
  market: Loaded;
  query: URLSearchParams;
  chosen: ReadonlySet<string>;
  choose: (key: string, wanted: boolean) => void;
}

function Signers({ market, query, chosen, choose }: SignersProps) {
  const daemon = useDaemon();
  const order = orderOf(query);
  const { page, shown } = paged(inOrder(market, order), query.get("page"));
  const columns = columnsFor(market, daemon.now());
  if (daemon.may("announceSigningRequest")) {
    columns.unshift({
      name: "Ask",
      cell: (signer) => signer.own ? null : (
        <input type="checkbox" aria-label={`Ask ${signer.publicKey}`} checked={chosen.has(signer.publicKey)}
          onChange={(event) => choose(signer.publicKey, event.currentTarget.checked)} />
      ),
    });
  }
  return (
    <>
      <Table caption="Signers" columns={columns} rows={shown} keyOf={(signer) => `${signer.scheme}/${signer.publicKey}`}
        order={order} onOrder={({ by, descending }) => refine({ sort: by, order: descending ? "down" : undefined, page: undefined })}
        empty="No signer matches these filters." />
      <Pages page={page} total={market.signers.length} turn={(to) => refine({ page: to > 1 ? String(to) : undefined })} />
    </>
  );
}

function columnsFor(market: Loaded, now: number): Column<Advertisement>[] {
  return [
    { name: "Name", sort: "name", heads: true, cell: (signer) => <Name signer={signer} /> },
    { name: "Signs", sort: "types", cell: (signer) => <><Said text={signer.criteria.transactionTypes.join(", ")} /> <small>{signer.scheme}</small></> },
    { name: "From", sort: "min", cell: ({ criteria, scheme }) => <Amount sat={criteria.minAmount} scheme={scheme} open="any" /> },
    { name: "To", sort: "max", cell: ({ criteria, scheme }) => <Amount sat={criteria.maxAmount} scheme={scheme} open="any" /> },
    { name: "Fee", sort: "fees", cell: (signer) => <Fee signer={signer} /> },
    { name: "Seen here", sort: "seen", cell: (signer) => <Seen signer={signer} /> },
    { name: "Claims", sort: "claimed", cell: (signer) => <Claimed signer={signer} /> },
    { name: "Age", sort: "age", cell: (signer) => <span title={new Date(signer.timestamp).toLocaleString()}>{span(Math.max(0, now - signer.timestamp))}</span> },
    { name: "Online", sort: "online", cell: (signer) => isOnline(signer, market) ? <Badge kind="good">online</Badge> : <Badge kind="plain">not connected</Badge> },
  ];
}

function Name({ signer }: { signer: Advertisement }) {
  const nickname = textOf(signer.metadata?.["nickname"]);
  const purpose = textOf(signer.metadata?.["purpose"]);
  const description = textOf(signer.metadata?.["description"]);
  return (
    <>
      {nickname ? <Said text={nickname} /> : <em>no name</em>} {signer.own && <Badge kind="plain">own</Badge>}
      <br /><Id id={signer.publicKey} />
      {(purpose || description) && (
        <details><summary>More</summary>
          {purpose && <p>Purpose: <Said text={purpose} /></p>}
          {description && <p><Said text={description} /></p>}
          <p>Until <Moment at={signer.expiresAt} /></p>
        </details>
      )}
    </>
  );
}

function Amount({ sat, scheme, open }: { sat: number | undefined; scheme: "lotus" | "bip340"; open: string }) {
  return sat === undefined ? <span class="dim">{open}</span> : <span title={coins(sat, scheme)}>{sats(sat)}</span>;
}

function Fee({ signer }: { signer: Advertisement }) {
  const fees = numberOf(signer.metadata?.["fees"]);
  return fees === undefined ? <span class="dim">not said</span> : <>{sats(fees)}</>;
}

function Seen({ signer }: { signer: Advertisement }) {
  const seen = signer.localReputation;
  if (!seen) return <span class="dim">nothing yet</span>;
  return <><strong>{seen.score}</strong> <small>{seen.completed} signed, {seen.failed} failed, {seen.aborted} aborted</small></>;
}

function Claimed({ signer }: { signer: Advertisement }) {
  const { score, completed } = claimOf(signer);
  if (score === undefined && completed === undefined) return <span class="dim">nothing</span>;
  return <span class="dim">{score ?? "?"}{completed === undefined ? "" : `, ${completed} signed`}</span>;
}
