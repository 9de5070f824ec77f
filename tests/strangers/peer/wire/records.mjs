// docs/protocol.md, sections 3 and 5: envelopes, signatures, checks.
import { ed25519 } from "@noble/curves/ed25519.js";
import { decode, encode } from "./cbor.mjs";
import { b64, hasForm, isBytes } from "./forms.mjs";
import { same, tagged } from "./hashes.mjs";
import { Refused } from "./refused.mjs";
import { SCHEMES } from "../signing/schemes.mjs";

const OF_PEER = ["message", "node", "notice"];
const COSIGNED = ["advertisement", "join"];
const LARGEST = { advertisement: 10_000, entry: 4_096, withdrawal: 1_000, node: 8_192, notice: 4_096 };
const SKEW_MS = 300_000;
const WEEK_MS = 604_800_000;
const GRACE_MS = 600_000;
const PEER_HEAD = Buffer.from("002408011220", "hex");

export const peerOf = (ed25519Key) => Buffer.concat([PEER_HEAD, ed25519Key]);
const bad = (wrong) => new Refused("bad_encoding", wrong);
const idOf = (alg, type, payload) => tagged(`musigd/${alg}/${type}/v1`, payload);

/** Whether the envelope's key is the payload's; a message names none. */
function speaksFor(type, alg, pubkey, record) {
  if (type === "message") return isBytes(32)(pubkey);
  if (OF_PEER.includes(type)) return isBytes(32)(pubkey) && same(pubkey, record.peer.subarray(6));
  return isBytes(33)(pubkey) && record.scheme === alg && same(pubkey, type === "request" ? record.creator : record.pubkey);
}

/** An envelope decoded, with its form checked; no signature is. */
export function opened(envelope) {
  const six = decode(envelope);
  if (!Array.isArray(six) || six.length !== 6) throw bad("not an array of six");
  const [type, alg, payload, pubkey, signature, cosig] = six;
  if (typeof type !== "string" || !(payload instanceof Uint8Array)) throw bad("type or payload");
  if (OF_PEER.includes(type) ? alg !== "ed25519" : !(alg in SCHEMES)) throw bad("alg");
  if (!b64(signature) || !(COSIGNED.includes(type) ? b64(cosig) : cosig === null)) throw bad("a signature's size");
  const record = decode(payload);
  if (!hasForm(type, record) || !speaksFor(type, alg, pubkey, record)) throw bad(`the form of a ${type}`);
  return { type, alg, record, pubkey, signature, cosig, envelope, id: idOf(alg, type, payload) };
}

const holds = (check) => {
  try {
    return check();
  } catch {
    return false; // a key that is no point
  }
};

/** Throws Refused if signature or countersignature do not hold. */
export function verified(signed) {
  const { alg, pubkey, signature, cosig, id, record } = signed;
  const good = holds(() => (alg === "ed25519" ? ed25519.verify(signature, id, pubkey, { zip215: false }) : SCHEMES[alg].verify(signature, id, pubkey)));
  const both = good && (cosig === null || holds(() => ed25519.verify(cosig, id, record.peer.subarray(6), { zip215: false })));
  if (!both) throw new Refused("bad_signature", signed.type);
  return signed;
}

/** Section 5, for the records of the directory. */
export function checked(signed, now, live) {
  const { type, record, envelope } = signed;
  if (!(type in LARGEST)) throw bad(`a ${type} is not of the directory`);
  if (envelope.length > LARGEST[type]) throw new Refused("too_large", type);
  const oldest = live ? SKEW_MS : WEEK_MS + (type === "withdrawal" ? GRACE_MS : 0);
  if (record.ts > now + SKEW_MS || record.ts < now - oldest) throw new Refused("timestamp", type);
  if (type !== "withdrawal" && (record.exp <= now || record.exp - record.ts > WEEK_MS)) throw new Refused("expired", type);
  return verified(signed);
}

/** Section 5, for requests. */
export function checkedRequest(signed, now) {
  const { record, envelope } = signed;
  if (envelope.length > 50_000) throw new Refused("too_large", "request");
  if (record.items.length * record.keys.length > 1_000) throw new Refused("too_many", "request");
  if (record.created > now + SKEW_MS) throw new Refused("timestamp", "request");
  if (record.expires <= now) throw new Refused("expired", "request");
  if (record.expires - record.created > WEEK_MS) throw new Refused("too_long", "request");
  verified(signed);
  const scheme = SCHEMES[record.scheme];
  const follows = record.items.every(([, tweaks, agg]) => holds(() => same(scheme.aggregate(record.keys, tweaks).pubkey, agg)));
  if (!follows) throw new Refused("invalid_key", "request");
  return signed;
}

/** Section 5: whether `a` takes the place of `b`. */
export function isNewer(a, b) {
  if (a.record.ts !== b.record.ts) return a.record.ts > b.record.ts;
  if (a.type !== b.type) return a.type === "withdrawal";
  return Buffer.compare(a.id, b.id) < 0;
}

/** Somebody who signs: a key of a scheme, and the peer that acts for it. */
export class Identity {
  constructor(scheme, secret, seed) {
    Object.assign(this, { scheme, secret, seed, pubkey: SCHEMES[scheme].pubkey(secret), peer: peerOf(ed25519.getPublicKey(seed)) });
  }

  seal(type, record) {
    const alg = OF_PEER.includes(type) ? "ed25519" : this.scheme;
    const payload = encode(record);
    const id = idOf(alg, type, payload);
    const cosig = COSIGNED.includes(type) ? ed25519.sign(id, this.seed) : null;
    const signature = alg === "ed25519" ? ed25519.sign(id, this.seed) : SCHEMES[alg].sign(id, this.secret);
    const pubkey = alg === "ed25519" ? this.peer.subarray(6) : this.pubkey;
    return opened(encode([type, alg, payload, pubkey, signature, cosig]));
  }
}
