// This peer against the vectors, without a daemon: the steps of docs/protocol.md, section 10.
//
//     musigd protocol-vectors | node vectors_test.mjs
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { decode, encode } from "./wire/cbor.mjs";
import { asked, Cutter, frame, readAnswer, readFrame, readQuestion, withLength } from "./wire/frames.mjs";
import { hex, joinsetOf, noncesetOf, sessionId, tagOf, unhex } from "./wire/hashes.mjs";
import { checked, checkedRequest, Identity, opened, verified } from "./wire/records.mjs";
import { Refused } from "./wire/refused.mjs";
import { SCHEMES } from "./signing/schemes.mjs";
import { Attempt } from "./signing/attempt.mjs";
import { genuine, proven } from "./signing/blame.mjs";
import { hubOrder, hubPeers } from "./signing/hubs.mjs";
import { hashesOf } from "./signing/transactions.mjs";

const vectors = JSON.parse(await text(process.stdin));
const of = (prefix) => Object.entries(vectors).filter(([name]) => name.startsWith(prefix));

function records() {
  const files = Object.values(vectors).filter((file) => "envelope" in file);
  for (const file of files) {
    assert.equal(hex(encode(decode(unhex(file.payload)))), file.payload);
    const signed = verified(opened(unhex(file.envelope)));
    assert.deepEqual([signed.type, signed.alg, hex(signed.id)], [file.type, file.alg, file.id]);
  }
  return files.length;
}

function names() {
  const { names: file } = vectors;
  assert.equal(hex(sessionId(unhex(file.request), file.attempt)), file.session);
  assert.equal(hex(joinsetOf(unhex(file.session), file.joins.map(unhex))), file.joinset);
  assert.equal(hex(noncesetOf(unhex(file.joinset), file.pubnonces.flat().map(unhex))), file.nonceset);
  for (const [key, tag] of Object.entries(file.tags)) assert.equal(hex(tagOf(unhex(key), unhex(file.salt))), tag);
  for (const signer of Object.values(vectors.signers)) {
    const me = new Identity("bip340", unhex(signer.secret), unhex(signer.peerSeed));
    assert.deepEqual([hex(me.pubkey), hex(me.peer)], [signer.pubkey, signer.peer]);
  }
}

function frames() {
  for (const [kind, data] of Object.entries(vectors.frames)) {
    const read = readFrame(unhex(data));
    assert.deepEqual([read.kind, hex(frame(kind, ...read.values))], [kind, data]);
    read.signed.forEach(verified);
  }
  assert.deepEqual([...new Cutter().take(unhex(vectors.stream.stream))].map(hex), vectors.stream.frames);
  for (const data of Object.values(vectors.directory.asks)) assert.equal(hex(encode(readQuestion(unhex(data)))), data);
  for (const data of Object.values(vectors.directory.answers)) assert.equal(hex(encode(readAnswer(unhex(data)))), data);
  for (const { kind, number, payload, stream } of Object.values(vectors.directory_stream)) {
    assert.equal(hex(withLength(asked(kind, number, unhex(payload)))), stream);
  }
}

const { now } = vectors.refused;
const DOORS = {
  cbor: decode,
  record: (data) => checked(opened(data), now, true),
  request: (data) => checkedRequest(opened(data), now),
  frame: (data) => readFrame(data).signed.forEach(verified),
  stream: (data) => [...new Cutter().take(data)],
  question: readQuestion,
  answer: readAnswer,
};

function refused() {
  for (const { what, wrong, reason, bytes } of vectors.refused.cases) {
    assert.throws(() => DOORS[what](unhex(bytes)), (error) => error instanceof Refused && error.reason === reason, `${what}: ${wrong}`);
  }
  return vectors.refused.cases.length;
}

/** One signer of a session sends exactly its own frames, given those of the others. */
function played(file, index) {
  const signer = file.signers[index];
  const me = new Identity(file.scheme, unhex(signer.secret), unhex(vectors.signers[signer.name].peerSeed));
  const said = file.frames.map(({ from, frame: what, stream }) => ({ from, what, read: readFrame([...new Cutter().take(unhex(stream))][0]) }));
  const request = checkedRequest(said[0].read.signed[0], now);
  const given = said.find(({ from, what }) => from === signer.name && what === "join").read.signed[0];
  const nonce = (item) => SCHEMES[file.scheme].nonceFrom(...file.items[item].secretNonces[index].map(unhex), me.pubkey);
  const signing = new Attempt(me, request, me.seal("join", given.record), nonce);
  const others = said.slice(1, -1).filter(({ from }) => from !== signer.name);
  const sent = [signing.joins[index], ...others.flatMap(({ read }) => signing.take(verified(read.signed[0])))];
  const own = said.slice(1, -1).filter(({ from }) => from === signer.name);
  assert.deepEqual(sent.map(({ id }) => hex(id)), own.map(({ read }) => hex(read.signed[0].id)));
  file.items.forEach((item, number) => {
    assert.deepEqual(signing.pubnonces.map((each) => hex(each[number])), item.pubnonces);
    assert.deepEqual(signing.partials.map(({ record }) => hex(record.body.psigs[number])), item.partialSignatures);
    assert.equal(hex(signing.signatures[number]), item.signature);
  });
  assert.throws(() => signing.takeComplete(signing.signatures.toReversed()), Refused);
}

function hubs() {
  const { request, signers, creator, order, peers, hubs: found } = vectors.hubs;
  assert.deepEqual(hubOrder(unhex(request), signers, creator), order);
  const keys = order.map((_, index) => Buffer.from([index]));
  const asked = { id: unhex(request), record: { keys, creator: keys[creator] } };
  const joined = found.map((index) => peers[index]).filter((peer) => peer !== null);
  assert.deepEqual(hubPeers(asked, (index) => peers[index] && unhex(peers[index])).map(hex), joined);
}

function transactions() {
  for (const [, file] of of("transaction_")) {
    const bytes = ({ value, script }) => ({ value, script: unhex(script) });
    const parts = { inputs: file.outpoints.map(unhex), spent: file.spentOutputs.map(bytes), outputs: file.outputs.map(bytes) };
    const { raw, messages } = hashesOf(file.scheme, parts);
    assert.deepEqual([hex(raw), messages.map(hex)], [file.transactionHex, file.messages]);
    const { record, id } = checkedRequest(opened(unhex(file.requestEnvelope)), now);
    assert.deepEqual([hex(id), record.items.map(([msg]) => hex(msg))], [file.request, file.messages]);
    assert.deepEqual([record.metadata.transactionHex, record.items.map((item) => item[3])], [file.transactionHex, file.messages.map((_, index) => index)]);
  }
}

function evidence() {
  const files = of("evidence_");
  for (const [, { request, pubkey, cases }] of files) {
    const asked = checkedRequest(opened(unhex(request)), now);
    for (const { what, evidence: envelopes, proves } of cases) {
      const found = proven(asked, genuine(envelopes.map(unhex))).map((each) => [hex(each.pubkey), each.reason]);
      assert.deepEqual(found, proves === null ? [] : [[pubkey, proves]], what);
    }
  }
  return files.flatMap(([, { cases }]) => cases).length;
}

names();
frames();
hubs();
transactions();
const sessions = of("session_");
for (const [, file] of sessions) file.signers.forEach((_, index) => played(file, index));
console.log(`${records()} records, every frame, ${sessions.length} sessions by each signer; ${refused()} cases are refused, ${evidence()} of evidence judged`);
