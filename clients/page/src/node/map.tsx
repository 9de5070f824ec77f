// A small map: this daemon, the peers that it is connected to, and around them those that it only knows of. Of the
// connections of others it knows one kind: who is reached through a relay says through which.
import type { Peer } from "musigd-client";
import { plain } from "../parts/text.js";

const [SIZE, INNER, OUTER] = [420, 110, 185];
const MOST = 24;

export interface Known {
  peerId: string;
  name: string;
}

/** Peers, and the relays through which their signed addresses lead. */
export type Relayed = ReadonlyMap<string, ReadonlySet<string>>;

const CIRCUIT = /\/p2p\/([1-9A-HJ-NP-Za-km-z]{1,100})\/p2p-circuit(\/|$)/;

/** The peer that relays to who has that address; undefined where it leads there itself. */
export function relayIn(address: string): string | undefined {
  return CIRCUIT.exec(address)?.[1];
}

interface Spot extends Known {
  x: number;
  y: number;
}

/** Even places on a circle around the middle. */
export function placed(peers: readonly Known[], radius: number, turn: number): Spot[] {
  return peers.map((peer, index) => {
    const angle = turn + (2 * Math.PI * index) / peers.length - Math.PI / 2;
    return { ...peer, x: Math.round(SIZE / 2 + radius * 1.35 * Math.cos(angle)), y: Math.round(SIZE / 2 + radius * Math.sin(angle)) };
  });
}

interface MapProps {
  peers: readonly Peer[];
  names: ReadonlyMap<string, string>;
  others: readonly Known[];
  relayed: Relayed;
}

/** What is not drawn is said, and how much of it. */
export function PeerMap(props: MapProps) {
  const { peers, others } = props;
  const left = Math.max(0, peers.length - MOST) + Math.max(0, others.length - MOST);
  return (
    <figure class="map">
      <Picture {...props} />
      <figcaption><small>Solid: connections of this daemon, dashed where the other side made them. Dotted: reached through a relay. Peers
        do not tell to whom else they are connected, so nothing more is drawn.{left > 0 && ` ${left} more are known than there is room for.`}</small></figcaption>
    </figure>
  );
}

function Picture({ peers, names, others, relayed }: MapProps) {
  const inner = placed(peers.slice(0, MOST).map(({ peerId }) => ({ peerId, name: names.get(peerId) ?? "" })), INNER, Math.PI / 7);
  const outer = placed(others.slice(0, MOST), OUTER, Math.PI / MOST);
  const directions = new Map(peers.map((peer) => [peer.peerId, peer.direction]));
  const middle = SIZE / 2;
  const reach = outer.length ? OUTER : INNER;
  const spots = new Map([...inner, ...outer].map((spot) => [spot.peerId, spot]));
  const circuits = [...spots.values()].flatMap((to) => [...(relayed.get(to.peerId) ?? [])].flatMap((relay) => {
    const from = spots.get(relay);
    return from ? [{ from, to }] : [];
  }));
  return (
    <svg viewBox={`${middle - reach * 1.35 - 60} ${middle - reach - 16} ${2.7 * reach + 120} ${2 * reach + 52}`} role="img"
      aria-label={`Map: connected to ${peers.length} peers; ${others.length} more are known and not connected; ${circuits.length} ways through relays. The table below lists those that are connected.`}>
      {circuits.map(({ from, to }) => <line key={`${from.peerId} ${to.peerId}`} x1={from.x} y1={from.y} x2={to.x} y2={to.y} class="circuit" />)}
      {inner.map(({ peerId, x, y }) => <line key={peerId} x1={middle} y1={middle} x2={x} y2={y} class={directions.get(peerId)} />)}
      {inner.map((spot) => <Dot key={spot.peerId} spot={spot} kind="peer" />)}
      {outer.map((spot) => <Dot key={spot.peerId} spot={spot} kind="known" />)}
      <g class="self"><circle cx={middle} cy={middle} r={16} /><text x={middle} y={middle + 34} class="middle">this daemon</text></g>
    </svg>
  );
}

function Dot({ spot, kind }: { spot: Spot; kind: "peer" | "known" }) {
  const name = spot.name ? plain(spot.name).slice(0, 16) : `…${plain(spot.peerId).slice(-6)}`;
  return (
    <g class={kind}>
      <circle cx={spot.x} cy={spot.y} r={kind === "peer" ? 11 : 7} />
      <text x={spot.x} y={spot.y + (kind === "peer" ? 27 : 21)} class="middle">{name}</text>
    </g>
  );
}
