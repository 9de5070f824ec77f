// docs/protocol.md, section 7: the sessions of this peer's keys.
import { multiaddr } from "@multiformats/multiaddr";
import { peerIdFromMultihash } from "@libp2p/peer-id";
import * as Digest from "multiformats/hashes/digest";
import { frame, readFrame } from "./frames.mjs";
import { hex, same } from "./hashes.mjs";
import { Links } from "./links.mjs";
import { checkedRequest, verified } from "./records.mjs";
import { Refused } from "./refused.mjs";
import { SCHEMES } from "./schemes.mjs";
import { Signing } from "./signing.mjs";

const ASK_AGAIN_MS = 1_000;
const peerIdOf = (bytes) => peerIdFromMultihash(Digest.decode(Uint8Array.from(bytes)));

export class Sessions {
  /** `keys`: identities by hex key. `tell(what)` for those who look on. */
  constructor(node, network, keys, tell, onFault) {
    Object.assign(this, { node, keys, tell, onFault, signings: new Map() });
    this.links = new Links(node, `/musigd/${network}/session/1`, (peerId, data) => this.#onFrame(peerId, data), onFault);
  }

  #onFrame(peerId, data) {
    const { kind, values, signed } = readFrame(data);
    signed.forEach(verified);
    if (kind === "env") this.#onRecord(peerId, signed[0]);
    else if (kind === "have") this.#onHave(peerId, values);
    else if (kind === "complete") this.#of(values[0])?.takeComplete(values[1]);
    else if (kind === "fetch") this.#onFetch(peerId, signed);
    this.#tellSigned();
  }

  #of(request) {
    return this.signings.get(hex(request));
  }

  #onRecord(peerId, signed) {
    if (signed.type === "request") this.#onRequest(peerId, signed);
    else if (signed.type === "message") for (const signing of this.signings.values()) this.#advance(signing, signed);
    else if (signed.type === "join") this.#onJoin(signed);
    else this.tell({ said: "ended", type: signed.type, request: hex(signed.record.request) });
  }

  #onRequest(peerId, signed) {
    checkedRequest(signed, Date.now());
    if (this.signings.has(hex(signed.id))) return;
    const me = signed.record.keys.map((key) => this.keys.get(hex(key))).find((each) => each?.scheme === signed.record.scheme);
    if (me === undefined) throw new Refused("not_mine", "a request that asks none of these keys");
    this.tell({ said: "asked", request: hex(signed.id), from: peerId.toString() });
    this.#begin(me, signed, 1, [peerId]);
  }

  #begin(me, request, attempt, peers) {
    const { scheme } = request.record;
    const addrs = this.node.getMultiaddrs().map((addr) => Buffer.from(addr.decapsulateCode(421).bytes));
    const join = me.seal("join", { ts: Date.now(), peer: me.peer, addrs, pubkey: me.pubkey, scheme, attempt, request: request.id });
    const nonce = (item) => SCHEMES[scheme].nonce(me.secret, request.record.items[item][0]);
    const signing = Object.assign(new Signing(me, request, join, nonce), { peers: new Map(peers.map((each) => [each.toString(), each])) });
    this.signings.set(hex(request.id), signing);
    this.#send(signing, [join]);
    signing.timer = setInterval(() => this.#askAgain(signing), ASK_AGAIN_MS);
  }

  /** A join names the peer of a signer and where it is; one of a later attempt begins that attempt. */
  #onJoin(signed) {
    const { request, attempt, peer, addrs } = signed.record;
    let signing = this.#of(request);
    if (signing === undefined) return;
    if (attempt > signing.attempt) {
      clearInterval(signing.timer);
      this.#begin(signing.me, signing.request, attempt, [...signing.peers.values()]);
      signing = this.#of(request);
    }
    const peerId = peerIdOf(peer);
    if (!peerId.equals(this.node.peerId)) this.#meet(signing, peerId, addrs);
    this.#advance(signing, signed);
  }

  #meet(signing, peerId, addrs) {
    if (signing.peers.has(peerId.toString())) return;
    signing.peers.set(peerId.toString(), peerId);
    const named = addrs.map((addr) => multiaddr(Uint8Array.from(addr)).encapsulate(`/p2p/${peerId}`));
    const connected = this.node.getConnections(peerId).length > 0 ? Promise.resolve() : this.node.dial(named);
    connected.then(() => this.#sendTo(peerId, signing.joins[signing.index])).catch((error) => this.onFault(peerId, error));
  }

  #advance(signing, signed) {
    this.#send(signing, signing.take(signed));
  }

  #send(signing, records) {
    for (const record of records) for (const peerId of signing.peers.values()) this.#sendTo(peerId, record);
  }

  #sendTo(peerId, record) {
    this.links.send(peerId, frame("env", record.envelope)).catch((error) => this.onFault(peerId, error));
  }

  /** What was lost on the way comes when it is asked for. */
  #askAgain(signing) {
    if (signing.signatures !== null) return clearInterval(signing.timer);
    for (const peerId of signing.peers.values()) {
      this.links.send(peerId, frame("have", ...signing.have())).catch((error) => this.onFault(peerId, error));
    }
  }

  #onHave(peerId, values) {
    const signing = this.#of(values[0]);
    if (signing === undefined) this.links.send(peerId, frame("answer", values[0], "unknown_request")).catch((error) => this.onFault(peerId, error));
    else for (const record of signing.missing(values)) this.#sendTo(peerId, record);
  }

  /** Each delegation must name the asking peer and be unexpired. */
  #onFetch(peerId, delegations) {
    const asking = Buffer.from(peerId.toMultihash().bytes);
    const good = delegations.filter(({ record }) => same(record.peer, asking) && record.exp > Date.now());
    for (const { request } of this.signings.values()) {
      const asks = good.some(({ record }) => request.record.keys.some((key) => same(key, record.pubkey)));
      if (asks) this.#sendTo(peerId, request);
    }
  }

  #tellSigned() {
    for (const [request, signing] of this.signings) {
      if (signing.signatures === null || signing.told) continue;
      signing.told = true;
      clearInterval(signing.timer);
      this.tell({ said: "signed", request, attempt: signing.attempt, signatures: signing.signatures.map(hex) });
    }
  }
}
