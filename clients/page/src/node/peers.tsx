import type { Advertisement, Peer } from "musigd-client";
import { useState } from "preact/hooks";
import { useDaemon, useLive } from "../live.js";
import { textOf } from "../market/signers.js";
import { Press, Problem, useAction } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Id, Moment, Said } from "../parts/text.js";
import { PeerMap, relayIn, type Known, type Relayed } from "./map.js";

interface Loaded {
  peers: readonly Peer[];
  names: ReadonlyMap<string, string>;
  others: readonly Known[];
  relayed: Relayed;
}

/** Who is connected, on a map and as a table; what the token may do about it. */
export function Peers() {
  const daemon = useDaemon();
  const { data, problem, reload } = useLive<Loaded>(async (_, signal) => {
    const [{ peers }, { signers }] = await Promise.all([
      daemon.client.listPeers({}, { signal }), daemon.client.findAvailableSigners({ maxResults: 200 }, { signal }),
    ]);
    return { peers, ...known(peers, signers, daemon.info.peerId) };
  }, ["peer", "directory", "info"]);
  const then = async (call: Promise<unknown>): Promise<void> => {
    await call;
    reload();
  };
  return (
    <section aria-labelledby="peers">
      <h2 id="peers">Peers</h2>
      <Problem text={problem} />
      {data && <PeerMap {...data} />}
      {data && <Table caption="Connected peers" rows={data.peers} keyOf={(peer) => peer.peerId} empty="No peer is connected."
        columns={[
          { name: "Peer", heads: true, cell: (peer) => <>{data.names.has(peer.peerId) && <><Said text={data.names.get(peer.peerId)} /><br /></>}<Id id={peer.peerId} /></> },
          { name: "Direction", cell: (peer) => peer.direction },
          { name: "Since", cell: (peer) => <Moment at={peer.since} /> },
          { name: "Program", cell: (peer) => peer.agent ? <Said text={peer.agent} /> : <span class="dim">not said</span> },
          { name: "Keys", cell: (peer) => peer.publicKeys.length },
          { name: "", cell: (peer) => daemon.may("disconnectPeer") && <>
            <Press call={() => then(daemon.client.disconnectPeer({ peerId: peer.peerId }))}>Disconnect</Press>
            <Press kind="danger" call={() => then(daemon.client.banPeer({ peerId: peer.peerId, durationMs: 3_600_000 }))}>Ban for an hour</Press></> },
        ]} />}
      {daemon.may("connectPeer") && <Connect done={reload} />}
    </section>
  );
}

/** The names that signers at a peer give themselves, and the peers that are known from the directory alone. */
function known(peers: readonly Peer[], signers: readonly Advertisement[], self: string): Omit<Loaded, "peers"> {
  const names = new Map<string, string>();
  const relayed = new Map<string, Set<string>>();
  for (const { peerId, multiaddrs } of [...signers, ...peers]) {
    for (const relay of (multiaddrs ?? []).map(relayIn)) if (relay) relayed.set(peerId, (relayed.get(peerId) ?? new Set()).add(relay));
  }
  for (const { peerId, metadata } of signers) {
    const nickname = textOf(metadata?.["nickname"]);
    if (nickname && !names.has(peerId)) names.set(peerId, nickname);
  }
  const connected = new Set(peers.map((peer) => peer.peerId));
  const others = [...new Set(signers.map((signer) => signer.peerId))].filter((peerId) => !connected.has(peerId) && peerId !== self);
  return { names, relayed, others: others.map((peerId) => ({ peerId, name: names.get(peerId) ?? "" })) };
}

function Connect({ done }: { done: () => void }) {
  const daemon = useDaemon();
  const action = useAction();
  const [multiaddr, setMultiaddr] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!(await action.run(() => daemon.client.connectPeer({ multiaddr: multiaddr.trim() })))) return;
    setMultiaddr("");
    done();
  };
  return (
    <form class="reason" onSubmit={(event) => void submit(event)}>
      <label>Address of a peer<input required maxLength={512} spellcheck={false} placeholder="/ip4/203.0.113.7/tcp/4327/p2p/12D3Koo…"
        value={multiaddr} onInput={(event) => setMultiaddr(event.currentTarget.value)} /></label>
      <button disabled={action.busy}>{action.busy ? "Connecting …" : "Connect"}</button>
      <Problem text={action.problem} />
    </form>
  );
}
