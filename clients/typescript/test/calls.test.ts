/** Calls to a daemon in memory that is away, refuses, or breaks off. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { CallFailed, CertificateRefused, Client, DeclinedError, ForbiddenError, httpTransport, MusigdError, NotReadyError, Unreachable } from "../src/index.js";
import { resultOf } from "../src/answers.js";
import { isAway } from "../src/waiting.js";
import { silenceOf } from "../src/transport.js";
import { ERRORS } from "../src/generated/errors.js";
import { FakeDaemon, refusal } from "./fake.js";

/** The answers of one method, one after the other; the last one for ever. */
function inTurn(...answers: (() => unknown)[]): () => unknown {
  let at = 0;
  return () => answers[Math.min(at++, answers.length - 1)]!();
}

const broken = (): never => {
  throw new Unreachable("the connection broke");
};
const nobody = (): never => {
  throw new Unreachable("nobody", true);
};
const refused = (reason: string, more = {}) => (): never => {
  throw refusal(reason, -32000, more);
};

test("a change whose answer was lost is repeated with the same idempotency key", async () => {
  const daemon = new FakeDaemon();
  daemon.answers = { createKey: inTurn(broken, nobody, refused("shutting_down"), () => ({ publicKey: "02" })) };
  await new Client(daemon).createKey({ scheme: "lotus" });
  const keys = daemon.calls.map((call) => call.params["idempotencyKey"]);
  assert.equal(keys.length, 4);
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/);
  assert.equal(new Set(keys).size, 1);
});

test("a wallet's own idempotency key is kept, and reads carry none", async () => {
  const daemon = new FakeDaemon();
  const client = new Client(daemon);
  await client.createKey({ scheme: "lotus", idempotencyKey: "mine" });
  await client.listKeys();
  assert.deepEqual(daemon.calls.map((call) => call.params["idempotencyKey"]), ["mine", undefined]);
});

test("a call with a secret is not repeated once it may have arrived", async () => {
  const daemon = new FakeDaemon();
  daemon.answers = { createToken: inTurn(nobody, broken) };
  await assert.rejects(new Client(daemon).createToken({ scopes: ["read"] }), Unreachable);
  assert.equal(daemon.calls.length, 2);
  assert.equal(daemon.calls[0]!.params["idempotencyKey"], undefined);
});

test("a certificate that is not accepted is told at once, with the code and a remedy, as the call was not sent", () => {
  const place = { rpc: "https://host:1/rpc", ws: "wss://host:1/ws" };
  for (const code of ["DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ERR_TLS_CERT_ALTNAME_INVALID"]) {
    const problem = silenceOf(place, { code });
    assert.ok(problem instanceof CertificateRefused && problem.nobody && !isAway(problem));
    assert.match(problem.message, new RegExp(`^the certificate at https://host:1/rpc is not accepted here \\(${code}\\): trust it`));
  }
  for (const code of ["ECONNREFUSED", "ECONNRESET", "UND_ERR_SOCKET"]) {
    assert.ok(!(silenceOf(place, { code }) instanceof CertificateRefused));
  }
});

test("a call whose certificate is refused is made once", async () => {
  const daemon = new FakeDaemon();
  const distrusted = (): never => {
    throw new CertificateRefused("not accepted");
  };
  daemon.answers = { listKeys: inTurn(distrusted) };
  await assert.rejects(new Client(daemon).listKeys(), CertificateRefused);
  assert.equal(daemon.calls.length, 1);
});

test("a call and its token are not carried to where a redirect points", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(307, { Location: "/elsewhere" }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new Client(httpTransport({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "secret" }), { patienceMs: 0 });
  await assert.rejects(client.createToken({ scopes: ["read"] }), Unreachable);
  server.close();
  server.closeAllConnections();
  assert.deepEqual(asked, ["/rpc"]);
});

test("patience ends, and the last failure is told", async () => {
  const daemon = new FakeDaemon();
  daemon.answers = { listKeys: nobody };
  await assert.rejects(new Client(daemon, { patienceMs: 0 }).listKeys(), Unreachable);
  await assert.rejects(new Client(daemon).listKeys({}, { patienceMs: 60 }), Unreachable);
  assert.equal(daemon.calls.length, 3);
});

test("the daemon's word on how long to wait is kept where patience allows it", async () => {
  const daemon = new FakeDaemon();
  daemon.answers = { listKeys: inTurn(refused("busy", { retryAfterMs: 5 }), () => ({ keys: [] })) };
  assert.deepEqual(await new Client(daemon).listKeys(), { keys: [] });
  daemon.answers = { advertiseSigner: refused("rate_limited", { retryAfterMs: 60_000 }) };
  const asked = new Client(daemon).advertiseSigner({ publicKey: "02", criteria: { transactionTypes: ["spend"] } });
  await assert.rejects(asked, (problem) => problem instanceof CallFailed && problem.reason === "rate_limited");
});

test("a new token is read when the old one is refused", async () => {
  const daemon = new FakeDaemon();
  const client = new Client(daemon);
  await client.listKeys();
  daemon.accepted = daemon.token = "second";
  await client.listKeys();
  assert.equal(daemon.calls.length, 3);
});

test("waitForSignature asks again while it is not ready, and tells on whom it waits", async () => {
  const daemon = new FakeDaemon();
  const notReady = refused("not_ready", { waitingFor: ["02aa"] });
  daemon.answers = { getFinalSignature: inTurn(notReady, broken, notReady, () => ({ signature: "ff" })) };
  const waited: unknown[] = [];
  const final = await new Client(daemon).waitForSignature("00", { onWaiting: (state) => waited.push(state["waitingFor"]) });
  assert.equal(final.signature, "ff");
  assert.deepEqual(waited, [["02aa"], ["02aa"]]);
});

test("waitForSignature ends with the reason, or when its time is up", async () => {
  const daemon = new FakeDaemon();
  daemon.answers = { getFinalSignature: refused("declined") };
  await assert.rejects(new Client(daemon).waitForSignature("00"), DeclinedError);
  daemon.answers = { getFinalSignature: refused("not_ready") };
  await assert.rejects(new Client(daemon).waitForSignature("00", { timeoutMs: 0 }), NotReadyError);
});

test("a signal gives a call up with its own reason", async () => {
  const daemon = new FakeDaemon();
  daemon.answers = { listKeys: nobody };
  const asked = new Client(daemon).listKeys({}, { signal: AbortSignal.abort(new Error("no more")) });
  await assert.rejects(asked, /no more/);
});

test("an error object becomes the class of its reason; one that is not known stays CallFailed", () => {
  const thrown = (reason: string): unknown => {
    try {
      return resultOf(JSON.stringify({ error: refusal(reason, -32002) }));
    } catch (problem) {
      return problem;
    }
  };
  assert(thrown("forbidden") instanceof ForbiddenError);
  for (const reason of ["of_tomorrow", "constructor", "__proto__"]) {
    const problem = thrown(reason) as CallFailed;
    assert.equal(Object.getPrototypeOf(problem), CallFailed.prototype);
    assert.equal(problem.reason, reason);
  }
  assert(Object.values(ERRORS).every((Kind) => Kind.prototype instanceof CallFailed));
});

test("what is no JSON-RPC is said to be none", () => {
  for (const text of ["<html>", "[]", "null", "{}"]) assert.throws(() => resultOf(text), MusigdError);
});

test("a URL may be the address alone or that of rpc", async () => {
  for (const url of ["https://host:1/", "https://host:1/rpc", "https://host:1"]) {
    const { rpc, ws } = await httpTransport({ url }).locate();
    assert.deepEqual([rpc, ws], ["https://host:1/rpc", "wss://host:1/ws"]);
  }
  assert.throws(() => httpTransport({ url: "host:1" }), TypeError);
});
