// The protocol's vectors, judged in another language by libraries that know nothing of musigd, from docs/protocol.md alone:
// CBOR by cborg, BIP-340 and BIP-327 by @noble/curves and @scure/btc-signer, the Lotus signature (which is Bitcoin Cash's)
// by @bitauth/libauth, ed25519 by Node.
//
//     musigd protocol-vectors | node vectors.mjs
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { text } from "node:stream/consumers";
import { hexToBin, instantiateSecp256k1 } from "@bitauth/libauth";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import { keyAggExport, keyAggregate, nonceAggregate, Session } from "@scure/btc-signer/musig2.js";
import { decode, encode } from "cborg";

const vectors = JSON.parse(await text(process.stdin));
const lotus = await instantiateSecp256k1();
const Point = secp256k1.Point;
const { n } = Point.CURVE();
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const tagged = (tag, ...data) => sha256(sha256(Buffer.from(tag)), sha256(Buffer.from(tag)), ...data);
const cbor = (bytes) => decode(bytes, { strict: true, allowIndefinite: false, rejectDuplicateMapKeys: true });
const scalar = (bytes) => BigInt(`0x${hex(bytes)}`) % n;

const ED25519 = Buffer.from("302a300506032b6570032100", "hex"); // what stands before a raw key in DER
const ed25519 = (key, message, signature) =>
  verify(null, message, createPublicKey({ key: Buffer.concat([ED25519, key]), format: "der", type: "spki" }), signature);
const SIGNED_BY = {
  ed25519,
  bip340: (key, message, signature) => schnorr.verify(signature, message, key.slice(1)),
  lotus: (key, message, signature) => lotus.verifySignatureSchnorr(signature, key, message),
};

/** Section 3: an envelope's record, once its signatures hold. */
function opened(envelope) {
  const [type, alg, payload, pubkey, signature, cosig] = cbor(envelope);
  const id = tagged(`musigd/${alg}/${type}/v1`, payload);
  const fields = cbor(payload);
  assert.equal(hex(encode(fields)), hex(payload), `${type}: its one encoding`);
  assert(SIGNED_BY[alg](pubkey, id, signature), `${type}: the signature`);
  if (cosig !== null) assert(ed25519(fields.peer.slice(6), id, cosig), `${type}: the countersignature`);
  return { type, alg, payload, id, fields };
}

/** A decoded value as the files show it. */
function shown(value) {
  if (value instanceof Uint8Array) return `h'${hex(value)}'`;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shown(each)]));
}

function records() {
  const files = Object.entries(vectors).filter(([, file]) => "envelope" in file);
  for (const [name, file] of files) {
    const record = opened(hexToBin(file.envelope));
    assert.deepEqual([record.type, record.alg, hex(record.payload), hex(record.id)], [file.type, file.alg, file.payload, file.id], name);
    assert.deepEqual(shown(record.fields), file.fields, name);
  }
  return files.length;
}

const u32be = (number) => Buffer.from([number >>> 24, number >>> 16, number >>> 8, number]);
const bytes = (list) => list.flat().map(hexToBin);
const sessionId = (request, attempt) => hex(tagged("musigd/session/v1", hexToBin(request), u32be(attempt)));
const joinsetOf = (session, joins) => hex(tagged("musigd/joinset/v1", hexToBin(session), ...bytes(joins)));
const noncesetOf = (joinset, pubnonces) => hex(tagged("musigd/nonceset/v1", hexToBin(joinset), ...bytes(pubnonces)));

function names() {
  const { names: file } = vectors;
  assert.equal(sessionId(file.request, file.attempt), file.session);
  assert.equal(joinsetOf(file.session, file.joins), file.joinset);
  assert.equal(noncesetOf(file.joinset, file.pubnonces), file.nonceset);
  for (const [pubkey, tag] of Object.entries(file.tags)) {
    assert.equal(hex(tagged("musigd/tag/v1", hexToBin(pubkey), hexToBin(file.salt)).subarray(0, 8)), tag);
  }
  const first = sha256(Buffer.from(file.keys.join(""))).readUInt32BE(0) % file.keys.length;
  const turns = file.keys.map((_, index) => (first + index) % file.keys.length);
  const given = { lexicographic: [...file.keys.keys()], "hash-based": turns, "first-signer": file.order, "last-signer": file.order.toReversed() };
  assert.deepEqual(given, file.priority);
}

/** Section 1. */
function network() {
  const { network: name, streams, topics, dht_record: record, dht_provider: provider } = vectors.network_names;
  assert.deepEqual(streams, { session: `/musigd/${name}/session/1`, directory: `/musigd/${name}/directory/1`, considering: `/musigd/${name}/considering/1`, kademlia: `/musigd/${name}/kad/1` });
  assert.deepEqual(topics, { swap: `musigd/${name}/signers/swap`, notices: `musigd/${name}/requests` });
  assert.equal(record.key, `/musigd-${name}/${record.pubkey}`);
  const told = `musigd/${name}/signers/${provider.type}/${Math.floor(provider.now / 21_600_000)}/${provider.shard}`;
  assert.equal(told, provider.text);
  assert.equal(provider.key, `1220${hex(sha256(sha256(Buffer.from(told))))}`);
}

/** docs/musig2.md, bip340: BIP-327, tweak after tweak. */
function bip340Item(item, pubkeys) {
  const applied = [];
  for (const [kind, value] of item.tweaks) {
    const key = Buffer.from(keyAggExport(keyAggregate(pubkeys, applied.map(([t]) => t), applied.map(([, xOnly]) => xOnly))));
    applied.push(kind === 2 ? [tagged("TapTweak", key, value === null ? Buffer.alloc(0) : hexToBin(value)), true] : [hexToBin(value), kind === 1]);
  }
  const [tweaks, xOnly] = [applied.map(([t]) => t), applied.map(([, each]) => each)];
  const [pubnonces, psigs] = [item.pubnonces.map(hexToBin), item.partialSignatures.map(hexToBin)];
  const aggnonce = nonceAggregate(pubnonces);
  const session = new Session(aggnonce, pubkeys, hexToBin(item.msg), tweaks, xOnly);
  assert.equal(hex(keyAggExport(keyAggregate(pubkeys, tweaks, xOnly))), item.aggPubkey.slice(2));
  assert.equal(hex(aggnonce), item.aggnonce);
  psigs.forEach((psig, index) => assert(session.partialSigVerify(psig, pubnonces, index)));
  assert.equal(hex(session.partialSigAgg(psigs)), item.signature);
}

/** docs/musig2.md, lotus: written out, as no library has it. */
function lotusItem(item, pubkeys) {
  const points = pubkeys.map((key) => Point.fromBytes(key));
  const list = tagged("KeyAgg list", ...pubkeys);
  const coefficients = pubkeys.map((key) => scalar(tagged("KeyAgg coefficient", list, key)));
  const internal = points.reduce((sum, point, index) => sum.add(point.multiply(coefficients[index])), Point.ZERO);
  const t = item.tweaks.length === 0 ? 0n : scalar(tagged("TapTweak", internal.toBytes(), hexToBin(item.tweaks[0][1] ?? "00".repeat(32))));
  const key = t === 0n ? internal : internal.add(Point.BASE.multiply(t));
  const halves = (nonce) => [Point.fromHex(nonce.slice(0, 66)), Point.fromHex(nonce.slice(66))];
  const [r1, r2] = item.pubnonces.map(halves).reduce(([a, b], [c, d]) => [a.add(c), b.add(d)]);
  const aggnonce = Buffer.concat([r1.toBytes(), r2.toBytes()]);
  const b = scalar(tagged("MuSig/noncecoef", key.toBytes(), aggnonce, hexToBin(item.msg)));
  const r = r1.add(r2.multiply(b));
  const e = scalar(sha256(r.toBytes().slice(1), key.toBytes(), hexToBin(item.msg)));
  const isSquare = Point.Fp.eql(Point.Fp.pow(r.y, (Point.Fp.ORDER - 1n) / 2n), Point.Fp.ONE);
  assert.deepEqual([key, r].map((point) => point.toHex()), [item.aggPubkey, item.r]);
  assert.deepEqual(coefficients, item.coefficients.map((each) => scalar(hexToBin(each))));
  assert.deepEqual([hex(aggnonce), b, e], [item.aggnonce, scalar(hexToBin(item.b)), scalar(hexToBin(item.e))]);
  item.pubnonces.forEach((nonce, index) => {
    const [k1, k2] = halves(nonce);
    const own = isSquare ? k1.add(k2.multiply(b)) : k1.add(k2.multiply(b)).negate();
    const tweaked = index === 0 ? (e * t) % n : 0n;
    const expected = own.add(points[index].multiply((e * coefficients[index]) % n));
    const s = (scalar(hexToBin(item.partialSignatures[index])) - tweaked + n) % n;
    assert(Point.BASE.multiply(s).equals(expected), `partial signature ${index}`);
  });
}

function session(file) {
  const frames = file.frames.map(({ stream }) => {
    const data = hexToBin(stream);
    assert.deepEqual(u32be(data.length - 4), Buffer.from(data.slice(0, 4)));
    return cbor(data.slice(4));
  });
  const said = frames.filter(([kind]) => kind === "env").map(([, envelope]) => opened(envelope));
  const of = (type, seq) => said.filter((record) => record.type === type && record.fields.seq === seq);
  const [request] = of("request");
  assert.equal(hex(request.id), file.request);
  assert.deepEqual(of("join").map((join) => hex(join.id)), file.joins);
  assert.equal(sessionId(file.request, file.attempt), file.session);
  assert.equal(joinsetOf(file.session, file.joins), file.joinset);
  const pubnonces = of("message", 1).map(({ fields }) => fields.body.pubnonces.map(hex));
  assert.equal(noncesetOf(file.joinset, pubnonces), file.nonceset);
  const psigs = of("message", 2).map(({ fields }) => fields.body.psigs.map(hex));
  const complete = frames.find(([kind]) => kind === "complete");
  file.items.forEach((item, number) => {
    assert.deepEqual([pubnonces, psigs].map((all) => all.map((each) => each[number])), [item.pubnonces, item.partialSignatures]);
    for (const [index, nonces] of item.secretNonces.entries()) {
      assert.equal(nonces.map((k) => Point.BASE.multiply(scalar(hexToBin(k))).toHex()).join(""), item.pubnonces[index]);
    }
    ({ bip340: bip340Item, lotus: lotusItem })[file.scheme](item, request.fields.keys);
    assert(SIGNED_BY[file.scheme](hexToBin(item.aggPubkey), hexToBin(item.msg), hexToBin(item.signature)));
    assert.equal(hex(complete[2][number]), item.signature);
  });
}

names();
network();
const sessions = Object.entries(vectors).filter(([name]) => name.startsWith("session_"));
for (const [, file] of sessions) session(file);
console.log(`${records()} records, ids, names and ${sessions.length} sessions hold`);
