// One attempt of one request, as one of its signers: records in, records out. No network, no clock.
import { hex, joinsetOf, noncesetOf, same, sessionId } from "./hashes.mjs";
import { Refused } from "./refused.mjs";
import { SCHEMES } from "./schemes.mjs";

const all = (slots) => slots.every((slot) => slot !== null);

/** Bit i % 8, the lowest first, of byte i / 8 is signer i; zero bytes at the end are left out. */
function bitmap(slots) {
  const bytes = Buffer.alloc(Math.ceil(slots.length / 8));
  slots.forEach((slot, index) => {
    if (slot !== null) bytes[index >> 3] |= 1 << (index & 7);
  });
  return bytes;
}
const isSet = (bytes, index) => ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1;

export class Signing {
  /** `join` is the own one, sealed; `nonce(item)` makes the secret nonces of an item, anew each time. */
  constructor(me, request, join, nonce) {
    const { keys, items, scheme } = request.record;
    Object.assign(this, { me, request, keys, items, attempt: join.record.attempt, scheme: SCHEMES[scheme], nonce });
    this.session = sessionId(request.id, this.attempt);
    this.index = keys.findIndex((key) => same(key, me.pubkey));
    [this.joins, this.nonces, this.partials] = [0, 1, 2].map(() => keys.map(() => null));
    this.early = [];
    this.joins[this.index] = join;
    this.signatures = null;
  }

  /** Takes a verified record; what to send to the others because of it. */
  take(signed) {
    if (signed.type === "join") this.#takeJoin(signed);
    else if (signed.type === "message") this.#takeMessage(signed);
    return this.#goOn();
  }

  #takeJoin(signed) {
    const { request, attempt, pubkey, scheme } = signed.record;
    const index = this.keys.findIndex((key) => same(key, pubkey));
    if (index < 0 || !same(request, this.request.id) || attempt !== this.attempt) return;
    if (scheme !== this.request.record.scheme) throw new Refused("bad_encoding", "a join of another scheme");
    this.joins[index] ??= signed;
    const early = this.early;
    this.early = [];
    for (const each of early) this.#takeMessage(each);
  }

  /** A message names a join, and only the peer of that join may sign it. */
  #takeMessage(signed) {
    const { join, session, seq, body } = signed.record;
    if (!same(session, this.session)) return;
    const index = this.joins.findIndex((each) => each !== null && same(each.id, join));
    if (index < 0) {
      this.early.push(signed);
      return;
    }
    if (!same(signed.pubkey, this.joins[index].record.peer.subarray(6))) throw new Refused("bad_signature", "not the peer of the join");
    if (seq === 1 && all(this.joins) && same(body.joinset, this.joinset)) this.nonces[index] ??= signed;
    else if (seq === 2 && all(this.nonces) && same(body.nonceset, this.nonceset)) this.#takePartial(index, signed);
    else if (seq < 3) this.early.push(signed);
  }

  #takePartial(index, signed) {
    const good = signed.record.body.psigs.every((psig, item) => this.sessions[item].holds(psig, index));
    if (!good) throw new Refused("bad_signature", `the partial signature of signer ${index}`);
    this.partials[index] ??= signed;
  }

  #goOn() {
    const out = [];
    if (all(this.joins) && this.nonces[this.index] === null) out.push(this.#sendNonces());
    if (all(this.nonces) && this.partials[this.index] === null) out.push(this.#sendPartials());
    if (out.length > 0) {
      const early = this.early;
      this.early = [];
      for (const each of early) this.#takeMessage(each);
      return [...out, ...this.#goOn()];
    }
    if (all(this.partials) && this.signatures === null) this.#aggregate();
    return out;
  }

  get joinset() {
    return joinsetOf(this.session, this.joins.map(({ id }) => id));
  }

  get pubnonces() {
    return this.nonces.map(({ record }) => record.body.pubnonces);
  }

  get nonceset() {
    return noncesetOf(this.joinset, this.pubnonces);
  }

  #message(seq, body) {
    return this.me.seal("message", { seq, body, join: this.joins[this.index].id, session: this.session });
  }

  #sendNonces() {
    this.own = this.items.map((_, item) => this.nonce(item));
    const pubnonces = this.own.map((nonce) => nonce.public);
    this.nonces[this.index] = this.#message(1, { joinset: this.joinset, pubnonces });
    return this.nonces[this.index];
  }

  #sendPartials() {
    this.sessions = this.items.map(([msg, tweaks], item) => {
      const pubnonces = this.pubnonces.map((each) => each[item]);
      return this.scheme.session(this.scheme.aggregate(this.keys, tweaks), pubnonces, msg);
    });
    const psigs = this.sessions.map((session, item) => session.sign(this.own[item], this.me.secret, this.index));
    this.partials[this.index] = this.#message(2, { psigs, nonceset: this.nonceset });
    return this.partials[this.index];
  }

  #aggregate() {
    const psigs = this.partials.map(({ record }) => record.body.psigs);
    this.takeComplete(this.sessions.map((session, item) => session.signature(psigs.map((each) => each[item]))));
  }

  /** Signatures, own or of a `complete`: they prove themselves. */
  takeComplete(signatures) {
    const good = signatures.length === this.items.length && this.items.every(([msg, , agg], item) => this.scheme.verify(signatures[item], msg, agg));
    if (!good) throw new Refused("bad_signature", "the signatures of a complete");
    this.signatures = signatures;
  }

  /** The values of a `have` frame. */
  have() {
    return [this.request.id, this.attempt, bitmap(this.joins), bitmap(this.nonces), bitmap(this.partials)];
  }

  /** What the sender of a `have` lacks. */
  missing([, attempt, ...bitmaps]) {
    if (attempt !== this.attempt) return [];
    const slots = [this.joins, this.nonces, this.partials];
    return slots.flatMap((each, kind) => each.filter((signed, index) => signed !== null && !isSet(bitmaps[kind], index)));
  }

  get name() {
    return `${hex(this.request.id)} ${this.attempt}`;
  }
}
