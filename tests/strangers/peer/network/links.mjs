// docs/protocol.md, section 7: one long-lived stream per pair of peers and protocol, whichever of the two opened it.
import { Cutter, withLength } from "../wire/frames.mjs";

const bytesOf = (peerId) => Buffer.from(peerId.toMultihash().bytes);

export class Links {
  /** `onFrame(peerId, data)` for every frame; `onFault(peerId, error)` when a peer breaks the rules. */
  constructor(node, protocol, onFrame, onFault) {
    Object.assign(this, { node, protocol, onFrame, onFault, links: new Map() });
    this.ownIsSmaller = (peerId) => Buffer.compare(bytesOf(node.peerId), bytesOf(peerId)) < 0;
  }

  async listen() {
    const handler = (stream, connection) => this.#add(connection.remotePeer, stream, "theirs");
    await this.node.handle(this.protocol, handler, { runOnLimitedConnection: true, maxInboundStreams: 4 });
  }

  /** Between the choice of the stream and the write nothing is awaited: meanwhile the peer's may have come, and ours be closed. */
  async send(peerId, data) {
    const link = this.#of(peerId);
    while (link.own === null && link.theirs === null) await this.openToo(peerId);
    link[this.#best(link, peerId)].send(withLength(data));
  }

  /** Which stream of each peer is written, and how many there are: for who looks on. */
  state(peerId) {
    const link = this.#of(peerId);
    const written = this.#best(link, peerId);
    return { written: link[written] === null ? null : written, own: link.own !== null, theirs: link.theirs !== null };
  }

  /** Opens one even where the peer's is there, as if both had opened at the same time. */
  async openToo(peerId) {
    const link = this.#of(peerId);
    link.opening ??= this.#open(peerId).finally(() => {
      link.opening = null;
    });
    return link.opening;
  }

  #of(peerId) {
    const name = peerId.toString();
    if (!this.links.has(name)) this.links.set(name, { own: null, theirs: null, opening: null });
    return this.links.get(name);
  }

  /** If both opened one: that of the smaller peer id. */
  #best(link, peerId) {
    if (link.own === null || link.theirs === null) return link.own === null ? "theirs" : "own";
    return this.ownIsSmaller(peerId) ? "own" : "theirs";
  }

  async #open(peerId) {
    const stream = await this.node.dialProtocol(peerId, this.protocol, { runOnLimitedConnection: true });
    this.#add(peerId, stream, "own");
  }

  #add(peerId, stream, side) {
    const link = this.#of(peerId);
    link[side] = stream; // the newest of one opener
    this.#read(peerId, stream);
    const gone = () => {
      if (link[side] === stream) link[side] = null;
    };
    stream.addEventListener("remoteCloseWrite", gone);
    stream.addEventListener("close", gone);
    // The other one is closed by the peer that opened it, here for writing only: what the peer still sends on it is read.
    if (link.own !== null && link.theirs !== null && !this.ownIsSmaller(peerId)) {
      link.own.close().catch((error) => this.onFault(peerId, error));
      link.own = null;
    }
  }

  #read(peerId, stream) {
    const cutter = new Cutter();
    stream.addEventListener("message", ({ data }) => {
      try {
        for (const frame of cutter.take(Buffer.from(data.subarray()))) this.onFrame(peerId, frame);
      } catch (error) {
        this.onFault(peerId, error);
        stream.abort(error);
      }
    });
    stream.addEventListener("remoteCloseWrite", () => stream.close().catch(() => stream.abort(new Error("lost"))));
  }
}
