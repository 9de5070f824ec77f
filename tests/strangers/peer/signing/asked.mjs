// docs/protocol.md, section 7: one request, over its attempts, as one of its signers. No network, no clock.
import { hex, same } from "../wire/hashes.mjs";
import { Refused } from "../wire/refused.mjs";
import { Attempt } from "./attempt.mjs";
import { SCHEMES } from "./schemes.mjs";

export class Asked {
  /** `me`: whose key is asked, by `join(attempt)` sealed when the own owner has agreed. */
  constructor(me, request, sealJoin, lie = "") {
    Object.assign(this, { me, request, sealJoin, lie, highest: 1, attempt: null, seen: [], ended: null, last: null });
    this.name = hex(request.id);
  }

  get n() {
    return this.request.record.keys.length;
  }

  /** Agrees, to the highest attempt that is known; what to send. */
  join() {
    if (this.ended !== null) return [];
    const { scheme, items } = this.request.record;
    const nonce = (item) => SCHEMES[scheme].nonce(this.me.secret, items[item][0]);
    this.attempt = new Attempt(this.me, this.request, this.sealJoin(this.highest), nonce, this.lie);
    const seen = this.seen.filter(({ record }) => record.attempt === this.highest);
    return [this.attempt.joins[this.attempt.index], ...seen.flatMap((each) => this.#advance(each))];
  }

  /** Takes a verified record of this request or its sessions; what to send. Throws Refused. */
  take(signed) {
    if (this.ended !== null || this.signatures !== null) return [];
    if (signed.type === "join") return this.#takeJoin(signed);
    if (signed.type === "message") return this.attempt === null ? [] : this.#advance(signed);
    if (signed.type === "decline" || signed.type === "cancel") this.#takeEnd(signed);
    return [];
  }

  /** The highest attempt in any join counts, and whoever agreed to the request joins it. */
  #takeJoin(signed) {
    const { keys, max_attempts: most, scheme } = this.request.record;
    const { attempt, pubkey } = signed.record;
    if (attempt > most || signed.record.scheme !== scheme || !keys.some((key) => same(key, pubkey))) throw new Refused("bad_encoding", "a join of another request");
    this.seen.push(signed);
    if (attempt > this.highest) {
      this.highest = attempt;
      return this.attempt === null ? [] : this.join();
    }
    return this.attempt === null ? [] : this.#advance(signed);
  }

  #advance(signed) {
    const out = this.attempt.take(signed);
    const { ended } = this.attempt;
    if (ended?.scope === "request") this.#end({ ...ended, record: out[0] ?? signed });
    return out;
  }

  #takeEnd(signed) {
    const { keys, creator, scheme } = this.request.record;
    const { pubkey } = signed.record;
    const may = signed.type === "decline" ? keys.some((key) => same(key, pubkey)) : same(pubkey, creator) && signed.record.scheme === scheme;
    if (!may) throw new Refused("bad_encoding", `a ${signed.type} of somebody else`);
    this.#end({ reason: signed.type === "decline" ? "declined" : "cancelled", by: pubkey, culprits: [], record: signed });
  }

  #end({ record, evidence = [], ...how }) {
    this.ended = how;
    this.evidence = evidence;
    this.last = record;
  }

  /** Declines or cancels, as the type says; what to send. */
  give(type, reason) {
    const { record, id } = this.request;
    const ending = this.me.seal(type, { ts: Date.now(), pubkey: this.me.pubkey, reason, scheme: record.scheme, request: id });
    this.#takeEnd(ending);
    return [ending];
  }

  /** The secret nonces are lost, as by a restart: the attempt is over, and the next one begins. */
  lose() {
    const abort = this.attempt.abort("attempt", "nonce_lost");
    this.highest += 1;
    return [abort, ...this.join()];
  }

  get signatures() {
    return this.attempt?.signatures ?? null;
  }
}
