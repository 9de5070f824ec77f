// docs/protocol.md, section 7: the requests that ask this peer's keys, between its peers.
import { peerIdFromMultihash } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import * as Digest from "multiformats/hashes/digest";
import { Links } from "../network/links.mjs";
import { frame, readFrame } from "../wire/frames.mjs";
import { hex, same } from "../wire/hashes.mjs";
import { checkedRequest, verified } from "../wire/records.mjs";
import { Refused } from "../wire/refused.mjs";
import { Asked } from "./asked.mjs";
import { hubPeers, MESH } from "./hubs.mjs";

const ASK_AGAIN_MS = 1_000;
export const peerIdOf = (bytes) => peerIdFromMultihash(Digest.decode(Uint8Array.from(bytes)));

export class Sessions {
  holding = false; // whether requests wait until this peer is told to join
  lie = ""; // for tests: "partial" sends a wrong partial signature

  /** `keys`: identities by hex key. `tell(what)` for those who look on. */
  constructor(node, network, keys, tell, onFault) {
    Object.assign(this, { node, keys, tell, onFault, all: new Map(), peers: new Map() });
    this.links = new Links(node, `/musigd/${network}/session/1`, (peerId, data) => this.#onFrame(peerId, data), onFault);
  }

  #onFrame(peerId, data) {
    const { kind, values, signed } = readFrame(data);
    signed.forEach(verified);
    if (kind === "env") this.#onRecord(peerId, signed[0]);
    else if (kind === "have") this.#onHave(peerId, values);
    else if (kind === "complete") this.#of(values[0])?.attempt?.takeComplete(values[1]);
    else if (kind === "fetch") this.#onFetch(peerId, signed);
    for (const asked of this.all.values()) this.#tellNews(asked);
  }

  #of(request) {
    return this.all.get(hex(request));
  }

  /** The request with this name in hex. */
  named(request) {
    const asked = this.all.get(request);
    if (asked === undefined) throw new Error(`no request ${request} is known`);
    return asked;
  }

  #onRecord(peerId, signed) {
    if (signed.type === "request") return this.#onRequest(peerId, signed);
    const about = signed.type === "message" ? [...this.all.values()] : [this.#of(signed.record.request)];
    for (const asked of about.filter((each) => each !== undefined)) {
      this.#carryOut(asked, asked.take(signed), signed);
      if (signed.type === "join") this.#meet(asked, signed.record);
    }
  }

  #onRequest(peerId, signed) {
    checkedRequest(signed, Date.now());
    if (this.all.has(hex(signed.id))) return;
    const me = signed.record.keys.map((key) => this.keys.get(hex(key))).find((each) => each?.scheme === signed.record.scheme);
    if (me === undefined) throw new Refused("not_mine", "a request that asks none of these keys");
    this.begin(me, signed, [peerId]);
    this.tell({ said: "asked", request: hex(signed.id), from: peerId.toString() });
    if (!this.holding) this.join(hex(signed.id));
  }

  /** A request is known; its records go to these peers, and to those that joins name. */
  begin(me, request, peers) {
    const { scheme } = request.record;
    const sealJoin = (attempt) => {
      const addrs = this.node.getMultiaddrs().map((addr) => Buffer.from(addr.decapsulateCode(421).bytes));
      return me.seal("join", { ts: Date.now(), peer: me.peer, addrs, pubkey: me.pubkey, scheme, attempt, request: request.id });
    };
    const asked = new Asked(me, request, sealJoin, this.lie);
    this.all.set(asked.name, asked);
    this.peers.set(asked, new Map(peers.map((each) => [each.toString(), each])));
    asked.timer = setInterval(() => this.#askAgain(asked), ASK_AGAIN_MS);
    return asked;
  }

  join(request) {
    this.carryOut(request, (asked) => asked.join());
  }

  /** Does something with a request, and sends the records that come of it. */
  carryOut(request, action) {
    const asked = this.named(request);
    this.#carryOut(asked, action(asked));
    this.#tellNews(asked);
  }

  /** Who leads a large request passes on what others say. */
  #carryOut(asked, records, heard) {
    const leads = asked.n > MESH && same(asked.request.record.creator, asked.me.pubkey);
    const passed = leads && heard !== undefined && heard.record.seq !== 2 ? [heard, ...records] : records;
    for (const record of passed) for (const peerId of this.#listeners(asked)) this.#sendTo(peerId, record);
  }

  /** All peers of the request; in a large one the first hub that is connected. */
  #listeners(asked) {
    const peers = [...this.peers.get(asked).values()];
    if (asked.n <= MESH || same(asked.request.record.creator, asked.me.pubkey)) return peers;
    const hubs = this.#hubs(asked).map(peerIdOf);
    const up = hubs.filter((peerId) => !peerId.equals(this.node.peerId) && this.node.getConnections(peerId).length > 0);
    return up.length > 0 ? up.slice(0, 1) : peers;
  }

  #hubs(asked) {
    const peerOf = (index) => asked.seen.findLast(({ record }) => same(record.pubkey, asked.request.record.keys[index]))?.record.peer ?? null;
    return hubPeers(asked.request, (index) => (same(asked.request.record.keys[index], asked.me.pubkey) ? asked.me.peer : peerOf(index)));
  }

  /** A join names the peer of a signer and where it is. Of a large request only the hubs are dialled. */
  #meet(asked, { peer, addrs }) {
    const peerId = peerIdOf(peer);
    const peers = this.peers.get(asked);
    if (peerId.equals(this.node.peerId) || peers.has(peerId.toString())) return;
    const isConnected = this.node.getConnections(peerId).length > 0;
    if (!isConnected && asked.n > MESH && !this.#hubs(asked).some((hub) => same(hub, peer))) return;
    peers.set(peerId.toString(), peerId);
    const own = () => (asked.attempt === null ? [] : [asked.attempt.joins[asked.attempt.index]]);
    const connected = isConnected ? Promise.resolve() : this.dial(peerId, addrs);
    connected.then(() => own().forEach((join) => this.#sendTo(peerId, join))).catch((error) => this.tell({ said: "unreached", peer: peerId.toString(), message: error.message }));
  }

  /** Who has no address waits until the other one dials. */
  async dial(peerId, addrs) {
    if (addrs.length === 0) throw new Error("no address is known");
    await this.node.dial(addrs.map((addr) => multiaddr(Uint8Array.from(addr)).encapsulate(`/p2p/${peerId}`)));
  }

  #sendTo(peerId, record) {
    this.links.send(peerId, frame("env", record.envelope)).catch((error) => this.#notSent(peerId, error));
  }

  /** What is not sent is asked for. */
  #notSent(peerId, error) {
    this.tell({ said: "unsent", peer: peerId.toString(), message: error.message });
  }

  /** What was lost on the way comes when it is asked for. */
  #askAgain(asked) {
    if (asked.signatures !== null || asked.ended !== null) return clearInterval(asked.timer);
    if (asked.attempt === null) return undefined;
    for (const peerId of this.#listeners(asked)) {
      this.links.send(peerId, frame("have", ...asked.attempt.have())).catch((error) => this.#notSent(peerId, error));
    }
    return undefined;
  }

  #onHave(peerId, values) {
    const asked = this.#of(values[0]);
    const answer = (...said) => this.links.send(peerId, frame(...said)).catch((error) => this.#notSent(peerId, error));
    if (asked === undefined) answer("answer", values[0], "unknown_request");
    else if (asked.signatures !== null) answer("complete", values[0], asked.signatures);
    else if (asked.last !== null) this.#sendTo(peerId, asked.last);
    else for (const record of asked.attempt?.missing(values) ?? []) this.#sendTo(peerId, record);
  }

  /** Each delegation must name the asking peer and be unexpired. */
  #onFetch(peerId, delegations) {
    const asking = Buffer.from(peerId.toMultihash().bytes);
    const good = delegations.filter(({ record }) => same(record.peer, asking) && record.exp > Date.now());
    for (const { request, ended } of this.all.values()) {
      const asks = good.some(({ record }) => request.record.keys.some((key) => same(key, record.pubkey)));
      if (asks && ended === null) this.#sendTo(peerId, request);
    }
  }

  /** Asks a peer for the open requests that require one of these keys. */
  fetch(peerId, advertisements) {
    return this.links.send(peerId, frame("fetch", advertisements.map(({ envelope }) => envelope)));
  }

  #tellNews(asked) {
    const { signatures, ended, attempt } = asked;
    const number = attempt?.number ?? 0;
    if (signatures !== null && !asked.told) this.tell({ said: "signed", request: asked.name, attempt: number, signatures: signatures.map(hex) });
    if (ended !== null && !asked.told) {
      const { reason, said = "", by, culprits } = ended;
      this.tell({ said: "ended", request: asked.name, attempt: number, reason, its: said, by: hex(by), culprits: culprits.map(hex) });
    }
    asked.told ||= signatures !== null || ended !== null;
    const over = attempt?.ended ?? null;
    if (over !== null && over.scope === "attempt" && !attempt.overTold) {
      attempt.overTold = true;
      this.tell({ said: "over", request: asked.name, attempt: number, reason: over.reason, its: over.said, by: hex(over.by) });
    }
  }
}
