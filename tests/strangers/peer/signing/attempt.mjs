// One attempt of one request, as one of its signers: records in, records out. No network, no clock.
import { joinsetOf, noncesetOf, same, sessionId } from "../wire/hashes.mjs";
import { Refused } from "../wire/refused.mjs";
import { genuine, proven, shown } from "./blame.mjs";
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

export class Attempt {
  /** `join` is the own one, sealed; `nonce(item)` makes the secret nonces of an item, anew each time; `lie` for tests. */
  constructor(me, request, join, nonce, lie = "") {
    const { keys, items, scheme } = request.record;
    Object.assign(this, { me, request, keys, items, number: join.record.attempt, scheme: SCHEMES[scheme], nonce, lie });
    this.session = sessionId(request.id, this.number);
    this.index = keys.findIndex((key) => same(key, me.pubkey));
    [this.joins, this.nonces, this.partials] = [0, 1, 2].map(() => keys.map(() => null));
    this.early = [];
    this.joins[this.index] = join;
    this.signatures = null;
    this.ended = null; // {reason, scope, by, culprits}
  }

  /** Takes a verified record; what to send to the others because of it. */
  take(signed) {
    if (this.ended !== null) return [];
    if (signed.type === "join") this.#takeJoin(signed);
    else if (signed.type === "message") this.#takeMessage(signed);
    return this.ended === null ? this.#goOn() : this.told;
  }

  #takeJoin(signed) {
    const { request, attempt, pubkey, scheme } = signed.record;
    const index = this.keys.findIndex((key) => same(key, pubkey));
    if (index < 0 || !same(request, this.request.id) || attempt !== this.number) return;
    if (scheme !== this.request.record.scheme) throw new Refused("bad_encoding", "a join of another scheme");
    this.joins[index] ??= signed;
    if (!same(this.joins[index].id, signed.id)) this.#accuse(...proven(this.request, [this.joins[index], signed]));
    else this.#takeEarly();
  }

  #takeEarly() {
    const early = this.early;
    this.early = [];
    for (const each of early) this.#takeMessage(each);
  }

  /** A message names a join, and only the peer of that join may sign it. */
  #takeMessage(signed) {
    const { join, session, seq, body } = signed.record;
    if (!same(session, this.session) || this.ended !== null) return;
    const index = this.joins.findIndex((each) => each !== null && same(each.id, join));
    if (index < 0) {
      this.early.push(signed);
      return;
    }
    if (!same(signed.pubkey, this.joins[index].record.peer.subarray(6))) throw new Refused("bad_signature", "not the peer of the join");
    if (seq === 3) return this.#takeAbort(index, signed);
    if (seq === 4) return;
    const slots = seq === 1 ? this.nonces : this.partials;
    const fits = seq === 1 ? all(this.joins) && same(body.joinset, this.joinset) : all(this.nonces) && same(body.nonceset, this.nonceset);
    if (fits || slots[index] !== null) this.#put(slots, index, signed);
    else this.early.push(signed);
  }

  /** Judged with what is known: a second version of a message, a nonce or a partial signature that is none. */
  #put(slots, index, signed) {
    const [fault] = this.lie === "" ? proven(this.request, [...this.known, signed, slots[index]].filter((each) => each !== null)) : [];
    if (fault !== undefined) this.#accuse(fault);
    else slots[index] ??= signed;
  }

  get known() {
    return [...this.joins, ...this.nonces].filter((each) => each !== null);
  }

  /** Whoever proves something about a signer ends the request, for all; else the attempt or the request of who says so. */
  #takeAbort(index, { record: { body } }) {
    const [fault] = proven(this.request, [...this.known, ...genuine(body.evidence)]);
    if (fault !== undefined) this.#accuse(fault);
    else this.end({ reason: "aborted_by_signer", said: body.reason, scope: body.scope, by: this.keys[index], culprits: [] });
  }

  #accuse({ pubkey, reason, evidence }) {
    this.told = [this.abort("request", reason, shown(evidence))];
    this.end({ reason, scope: "request", by: this.me.pubkey, culprits: reason === "join_conflict" ? [] : [pubkey], evidence });
  }

  /** The own abort message. The secret nonces are gone with the attempt. */
  abort(scope, reason, evidence = []) {
    this.own = null;
    return this.#message(3, { scope, reason, missing: [], evidence });
  }

  end(how) {
    this.own = null;
    this.told ??= [];
    this.ended = how;
  }

  #goOn() {
    const out = [];
    if (all(this.joins) && this.nonces[this.index] === null) out.push(this.#sendNonces());
    if (all(this.nonces) && this.partials[this.index] === null) out.push(this.#sendPartials());
    if (out.length > 0) {
      this.#takeEarly();
      return [...out, ...(this.ended === null ? this.#goOn() : this.told)];
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
    this.sums = this.items.map(([msg, tweaks], item) => {
      const pubnonces = this.pubnonces.map((each) => each[item]);
      return this.scheme.session(this.scheme.aggregate(this.keys, tweaks), pubnonces, msg);
    });
    const psigs = this.sums.map((sum, item) => sum.sign(this.own[item], this.me.secret, this.index));
    if (this.lie === "partial") psigs[0][31] ^= 1;
    this.partials[this.index] = this.#message(2, { psigs, nonceset: this.nonceset });
    this.own = null;
    return this.partials[this.index];
  }

  #aggregate() {
    if (this.lie !== "") return;
    const psigs = this.partials.map(({ record }) => record.body.psigs);
    this.takeComplete(this.sums.map((sum, item) => sum.signature(psigs.map((each) => each[item]))));
  }

  /** Signatures, own or of a `complete`: they prove themselves. */
  takeComplete(signatures) {
    const good = signatures.length === this.items.length && this.items.every(([msg, , agg], item) => this.scheme.verify(signatures[item], msg, agg));
    if (!good) throw new Refused("bad_signature", "the signatures of a complete");
    this.signatures = signatures;
  }

  /** The values of a `have` frame. */
  have() {
    return [this.request.id, this.number, bitmap(this.joins), bitmap(this.nonces), bitmap(this.partials)];
  }

  /** What the sender of a `have` lacks. */
  missing([, attempt, ...bitmaps]) {
    if (attempt !== this.number) return [];
    const slots = [this.joins, this.nonces, this.partials];
    return slots.flatMap((each, kind) => each.filter((signed, index) => signed !== null && !isSet(bitmaps[kind], index)));
  }
}
