// A small map: this daemon, the peers that it is connected to, and around them those that it only knows of. How those are
// connected to each other is not known here, and not drawn.
import type { Peer } from "musigd-client";
import { plain } from "../parts/text.js";

const [SIZE, INNER, OUTER] = [420, 110, 185];
const MOST = 24;

export interface Known {
  peerId: string;
  name: string;
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

export function PeerMap({ peers, names, others }: { peers: readonly Peer[]; names: ReadonlyMap<string, string>; others: readonly Known[] }) {
  const inner = placed(peers.slice(0, MOST).map(({ peerId }) => ({ peerId, name: names.get(peerId) ?? "" })), INNER, Math.PI / 7);
  const outer = placed(others.slice(0, MOST), OUTER, Math.PI / MOST);
  const directions = new Map(peers.map((peer) => [peer.peerId, peer.direction]));
  const middle = SIZE / 2;
  const reach = outer.length ? OUTER : INNER;
  return (
    <svg class="map" viewBox={`${middle - reach * 1.35 - 60} ${middle - reach - 16} ${2.7 * reach + 120} ${2 * reach + 52}`} role="img"
      aria-label={`Map: connected to ${peers.length} peers; ${others.length} more are known and not connected. The table below lists them.`}>
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
