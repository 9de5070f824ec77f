// docs/protocol.md, section 4: what the fields of each record may hold.
import { same } from "./hashes.mjs";

const ORDER = BigInt("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
const WEEK_MS = 604_800_000;

export const isBytes = (least, most = least) => (v) => v instanceof Uint8Array && v.length >= least && v.length <= most;
export const isNumber = (least, most) => (v) => typeof v === "number" && v >= least && v <= most;
export const oneOf = (...allowed) => (v) => allowed.includes(v);
export const isList = (rule, least, most) => (v) => Array.isArray(v) && v.length >= least && v.length <= most && v.every(rule);
export const orNull = (rule) => (v) => v === null || rule(v);
export const uint = isNumber(0, Number.MAX_SAFE_INTEGER);
export const [b8, b16, b32, b64, b66] = [8, 16, 32, 64, 66].map((size) => isBytes(size));

const isMap = (v) => typeof v === "object" && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array);
const text = (v) => typeof v === "string" && Buffer.byteLength(v) <= 256;
const name = (v) => typeof v === "string" && /^[a-z0-9-]{1,32}$/.test(v);
const rises = (list, above) => list.every((each, index) => index === 0 || above(each, list[index - 1]));
const names = (v) => isList(name, 0, 32)(v) && rises(v, (a, b) => a > b);
const scheme = oneOf("lotus", "bip340");
const pubkey = (v) => isBytes(33)(v) && (v[0] === 2 || v[0] === 3);
const PEER_HEAD = Buffer.from("002408011220", "hex");
export const peer = (v) => isBytes(38)(v) && same(v.subarray(0, 6), PEER_HEAD);
const addrs = isList(isBytes(1, 256), 0, 16);
const keys = (v) => isList(pubkey, 2, 100)(v) && rises(v, (a, b) => Buffer.compare(a, b) > 0);
const order = (v) => isList(uint, 2, 100)(v) && v.toSorted((a, b) => a - b).every((each, index) => each === index);

const scalar = (v) => {
  if (!b32(v)) return false;
  const number = BigInt(`0x${Buffer.from(v).toString("hex")}`);
  return number > 0n && number < ORDER;
};
const tweak = (v) => Array.isArray(v) && v.length === 2 && (v[0] === 2 ? orNull(b32)(v[1]) : (v[0] === 0 || v[0] === 1) && scalar(v[1]));
const tweaks = (v) => isList(tweak, 0, 32)(v) && v.slice(0, -1).every(([kind]) => kind !== 2);
const lotusTweaks = (v) => v.length === 0 || (v.length === 1 && v[0][0] === 2 && (v[0][1] === null || v[0][1].some((byte) => byte !== 0)));
const item = (v) => Array.isArray(v) && v.length === 4 && b32(v[0]) && tweaks(v[1]) && pubkey(v[2]) && orNull(uint)(v[3]);
const METHODS = ["lexicographic", "hash-based", "first-signer", "last-signer"];
const election = (v) => v === null || (Array.isArray(v) && v.length === 2 && METHODS.includes(v[0]) && isNumber(1, WEEK_MS)(v[1]));

/** A closed map: exactly these fields; those in `absent` may be missing. */
const isClosed = (fields, absent = []) => (v) =>
  isMap(v) &&
  Object.keys(v).every((field) => field in fields) &&
  Object.entries(fields).every(([field, rule]) => (field in v ? rule(v[field]) : absent.includes(field)));

const trust = isClosed({ reputation: isNumber(0, 100), requiresVerification: (v) => typeof v === "boolean" }, ["reputation", "requiresVerification"]);
const lives = (record) => record.exp > record.ts;
const key = { pubkey, scheme };
const ending = { ...key, ts: uint, request: b32 };

function requestFits(record) {
  const { keys: all, items, scheme: name } = record;
  if (record.order.length !== all.length || record.expires <= record.created) return false;
  if (!all.some((each) => same(each, record.creator))) return false;
  if (name === "lotus") return items.every(([, each]) => lotusTweaks(each));
  return new Set(all.map((each) => Buffer.from(each.subarray(1)).toString("hex"))).size === all.length;
}

const BODIES = {
  1: isClosed({ joinset: b32, pubnonces: isList(b66, 1, 100) }),
  2: isClosed({ psigs: isList(b32, 1, 100), nonceset: b32 }),
  3: isClosed({ scope: oneOf("attempt", "request"), reason: text, missing: isList(pubkey, 0, 100), evidence: isList(isBytes(1, 16_384), 0, 8) }),
  4: isClosed({ txid: b32 }),
};

const FORMS = {
  advertisement: {
    fields: { ...key, ts: uint, exp: uint, max: uint, min: uint, peer, addrs, trust, types: names, metadata: isMap },
    absent: ["max", "min"],
    fits: (record) => lives(record) && !(record.min > record.max),
  },
  withdrawal: { fields: { ...key, ts: uint } },
  entry: { fields: { ...key, ad: b32, ts: uint, exp: uint, peer, types: names }, fits: lives },
  request: {
    fields: {
      scheme, keys, order, election, salt: b16, items: isList(item, 1, 100), created: uint, creator: pubkey, expires: uint,
      metadata: isMap, round_ms: isNumber(1, WEEK_MS), max_attempts: isNumber(1, 16),
    },
    fits: requestFits,
  },
  join: { fields: { ...ending, peer, addrs, attempt: isNumber(1, 16) } },
  decline: { fields: { ...ending, reason: text } },
  cancel: { fields: { ...ending, reason: text } },
  considering: { fields: ending },
  message: { fields: { seq: isNumber(1, 4), body: isMap, join: b32, session: b32 }, fits: (record) => BODIES[record.seq](record.body) },
  node: { fields: { ts: uint, exp: uint, peer, addrs, roles: names }, fits: lives },
  notice: { fields: { ts: uint, exp: uint, peer, salt: b16, tags: isList(b8, 1, 100) }, fits: lives },
};

/** Whether a decoded payload is a record of this type. */
export function hasForm(type, record) {
  const form = Object.hasOwn(FORMS, type) ? FORMS[type] : undefined;
  return form !== undefined && isClosed(form.fields, form.absent)(record) && (form.fits?.(record) ?? true);
}
