// docs/musig2.md: the two schemes behind the same names. bip340 is @scure/btc-signer's; lotus is written out, as no library has it.
import { randomBytes } from "@noble/hashes/utils.js";
import { instantiateSecp256k1 } from "@bitauth/libauth";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import { keyAggExport, keyAggregate, nonceAggregate, nonceGen, Session } from "@scure/btc-signer/musig2.js";
import { hex, same, sha256, tagged, unhex } from "../wire/hashes.mjs";

const single = await instantiateSecp256k1();
const { Point } = secp256k1;
const N = Point.CURVE().n;
const mod = (number) => ((number % N) + N) % N;
const scalar = (bytes) => mod(BigInt(`0x${hex(bytes)}`));
const bytes32 = (number) => unhex(number.toString(16).padStart(64, "0"));
const isSquare = (y) => Point.Fp.eql(Point.Fp.pow(y, (Point.Fp.ORDER - 1n) / 2n), Point.Fp.ONE);
const compressed = (point) => (point.is0() ? Buffer.alloc(33) : Buffer.from(point.toBytes()));
const multiplied = (point, number) => (number === 0n ? Point.ZERO : point.multiply(number));
const halves = (nonce) => [Point.fromBytes(nonce.slice(0, 33)), Point.fromBytes(nonce.slice(33))];
const isNonce = (nonce) => {
  try {
    return halves(Uint8Array.from(nonce)).length === 2;
  } catch {
    return false; // a half that is no point
  }
};
const pubkey = (secret) => Buffer.from(secp256k1.getPublicKey(secret, true));

const bip340 = {
  pubkey,
  isNonce,
  sign: (msg, secret) => schnorr.sign(msg, secret),
  verify: (signature, msg, key) => schnorr.verify(signature, msg, key.slice(1)),

  aggregate(keys, tweaks) {
    const applied = { keys, values: [], xOnly: [] };
    for (const [kind, value] of tweaks) {
      const before = keyAggExport(keyAggregate(keys, applied.values, applied.xOnly));
      applied.values.push(kind === 2 ? Uint8Array.from(tagged("TapTweak", before, value ?? Buffer.alloc(0))) : value);
      applied.xOnly.push(kind !== 0);
    }
    const found = keyAggregate(keys, applied.values, applied.xOnly);
    return { ...applied, pubkey: Buffer.from(found.aggPublicKey.toBytes(true)) };
  },

  nonce: (secret, msg) => nonceGen(pubkey(secret), secret, undefined, msg),
  nonceFrom: (k1, k2, key) => ({
    secret: Uint8Array.from(Buffer.concat([k1, k2, key])),
    public: Buffer.concat([k1, k2].map((k) => compressed(Point.BASE.multiply(scalar(k))))),
  }),

  session(aggregate, pubnonces, msg) {
    const session = new Session(nonceAggregate(pubnonces), aggregate.keys, msg, aggregate.values, aggregate.xOnly);
    return {
      sign: (nonce, secret) => Buffer.from(session.sign(nonce.secret, secret)),
      holds: (psig, index) => session.partialSigVerify(psig, pubnonces, index),
      signature: (psigs) => Buffer.from(session.partialSigAgg(psigs)),
    };
  },
};

/** Key, its coefficients, and the tweak t. A coefficient is 1 only for index 1, and only if it repeats the first key. */
function lotusAggregate(keys, tweaks) {
  const list = tagged("KeyAgg list", ...keys);
  const coefficients = keys.map((key, index) => (index === 1 && same(key, keys[0]) ? 1n : scalar(tagged("KeyAgg coefficient", list, key))));
  const internal = keys.reduce((sum, key, index) => sum.add(multiplied(Point.fromBytes(Uint8Array.from(key)), coefficients[index])), Point.ZERO);
  const t = tweaks.length === 0 ? 0n : scalar(tagged("TapTweak", compressed(internal), tweaks[0][1] ?? Buffer.alloc(32)));
  const point = internal.add(multiplied(Point.BASE, t));
  return { keys, coefficients, t, pubkey: compressed(point) };
}

function lotusSession(aggregate, pubnonces, msg) {
  const split = pubnonces.map((nonce) => halves(Uint8Array.from(nonce)));
  const [r1, r2] = split.reduce(([a, b], [c, d]) => [a.add(c), b.add(d)]);
  const b = scalar(tagged("MuSig/noncecoef", aggregate.pubkey, compressed(r1), compressed(r2), msg));
  const sum = r1.add(multiplied(r2, b));
  const r = sum.is0() ? Point.BASE : sum;
  const x = compressed(r).subarray(1);
  const e = scalar(sha256(x, aggregate.pubkey, msg));
  const negated = !isSquare(r.y);
  const extra = (index) => (index === 0 ? mod(e * aggregate.t) : 0n); // signer 0 adds the tweak for all
  return {
    sign(nonce, secret, index) {
      const k = mod(nonce.k1 + b * nonce.k2);
      nonce.k1 = nonce.k2 = null; // used once
      return bytes32(mod((negated ? -k : k) + e * aggregate.coefficients[index] * scalar(secret) + extra(index)));
    },
    holds(psig, index) {
      const [first, second] = split[index];
      const own = first.add(multiplied(second, b));
      const key = Point.fromBytes(Uint8Array.from(aggregate.keys[index]));
      const expected = (negated ? own.negate() : own).add(multiplied(key, mod(e * aggregate.coefficients[index])));
      return BigInt(`0x${hex(psig)}`) < N && multiplied(Point.BASE, scalar(psig)).equals(expected.add(multiplied(Point.BASE, extra(index))));
    },
    signature: (psigs) => Buffer.concat([x, bytes32(psigs.reduce((s, psig) => mod(s + scalar(psig)), 0n))]),
  };
}

const lotusNonce = (k1, k2) => ({ k1, k2, public: Buffer.concat([k1, k2].map((k) => compressed(Point.BASE.multiply(k)))) });
const lotus = {
  pubkey,
  isNonce,
  sign: (msg, secret) => single.signMessageHashSchnorr(secret, msg),
  verify: (signature, msg, key) => single.verifySignatureSchnorr(signature, key, msg),
  aggregate: lotusAggregate,
  nonce(secret, msg) {
    const random = randomBytes(32);
    const [k1, k2] = [1, 2].map((number) => scalar(tagged("stranger/lotus/nonce", random, secret, msg, Buffer.from([number]))));
    return lotusNonce(k1, k2);
  },
  nonceFrom: (k1, k2) => lotusNonce(scalar(k1), scalar(k2)),
  session: lotusSession,
};

export const SCHEMES = { lotus, bip340 };
