/** Against real daemons; MUSIGD names the program. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { hexToBin, instantiateSecp256k1 } from "@bitauth/libauth";
import { Client, InvalidParamsError, NotFoundError, UnauthenticatedError, Unreachable, type HeardEvent } from "../src/node/index.js";
import { Daemon } from "./daemon.js";

let alice: Daemon;
let bob: Daemon;

before(async () => {
  [alice, bob] = await Promise.all([Daemon.start(), Daemon.start()]);
});
after(() => Promise.all([alice.remove(), bob.remove()]));

/** A client that ends with its test, also with one that fails: a client that follows events would go on for ever. */
async function connected(context: TestContext, daemon: Daemon): Promise<Client> {
  const client = await Client.connect({ datadir: daemon.datadir, patienceMs: 120_000 });
  context.after(() => client.close());
  return client;
}

test("errors are classes by reason and name what is wrong", async (context) => {
  const client = await connected(context, alice);
  await assert.rejects(client.getSession({ sessionId: "00".repeat(32) }), NotFoundError);
  await assert.rejects(client.createKey({ scheme: "lotos" as "lotus" }), (problem: unknown) => {
    assert(problem instanceof InvalidParamsError);
    assert.equal(problem.reason, "invalid_params");
    assert.match(JSON.stringify(problem.data["errors"]), /"path":"scheme"/);
    return true;
  });
  const { rpc } = JSON.parse(await readFile(join(alice.datadir, "endpoint.json"), "utf8")) as { rpc: string };
  await assert.rejects(Client.connect({ url: rpc, token: "wrong" }), UnauthenticatedError);
  await assert.rejects(Client.connect({ url: "http://127.0.0.1:1" }), Unreachable);
});

test("a unix socket needs no token, for calls and for events", async () => {
  const { socket } = JSON.parse(await readFile(join(alice.datadir, "endpoint.json"), "utf8")) as { socket: string };
  const client = await Client.connect({ socket });
  const { seq } = await client.createKey({ scheme: "bip340", label: "by socket" });
  for await (const event of client.events({ fromSeq: seq, events: ["key:created"] })) {
    assert.equal(event.event === "key:created" && event.data.label, "by socket");
    break;
  }
  client.close();
});

/** Another port and another cookie. */
async function moved(): Promise<void> {
  await alice.stop();
  await alice.start();
}

/** The same port, so that the old cookie is refused there. */
async function killed(): Promise<void> {
  const port = await alice.port();
  await alice.stop("SIGKILL");
  await alice.start(port);
}

test("events and calls go on over a stop and a kill, with another port or another cookie, every seq once", async (context) => {
  const client = await connected(context, alice);
  const { nextSeq, logId } = await client.getInfo();
  const heard: HeardEvent[] = [];
  const labels = Array.from({ length: 12 }, (_, index) => `key ${index}`);
  const listening = (async () => {
    for await (const event of client.events({ fromSeq: nextSeq, logId })) {
      heard.push(event);
      if (event.event === "key:created" && event.data.label === labels.at(-1)) return;
    }
  })();
  for (const [index, label] of labels.entries()) {
    const restart = { 4: moved, 8: killed }[index];
    await Promise.all([restart?.(), client.createKey({ scheme: "lotus", label })]);
  }
  await listening;
  assert.deepEqual(heard.map((event) => event.seq), heard.map((_, index) => nextSeq + index));
  assert.deepEqual(heard.flatMap((event) => (event.event === "key:created" ? [event.data.label] : [])), labels);
});

test("two wallets sign while one of the daemons restarts, and both see every step", async (context) => {
  const [one, other] = await Promise.all([connected(context, alice), connected(context, bob)]);
  await one.connectPeer({ multiaddr: (await other.getInfo()).multiaddrs[0]! });
  const [a, b] = await Promise.all([one, other].map(async (each) => (await each.createKey({ scheme: "lotus" })).publicKey));
  const asked = { requiredPublicKeys: [a!, b!], publicKey: a!, message: randomBytes(32).toString("hex") };
  const { nextSeq } = await other.getInfo();
  const { requestId } = await one.announceSigningRequest(asked);
  for await (const event of other.events({ fromSeq: nextSeq, events: ["signing-request:received"] })) {
    if (event.event === "signing-request:received" && event.data.requestId === requestId) break;
  }
  const steps = one.followRequest(requestId);
  const states = [(await steps.next()).value?.request.state];
  const following = (async () => {
    for await (const { request } of steps) states.push(request.state);
  })();
  const waitingFor: unknown[] = [];
  const waiting = one.waitForSignature(requestId, { timeoutMs: 120_000, onWaiting: (state) => waitingFor.push(state["waitingFor"]) });
  await alice.stop();
  await alice.start();
  await one.connectPeer({ multiaddr: (await other.getInfo()).multiaddrs[0]! });
  await other.joinSigningRequest({ requestId, publicKey: b! });
  const [mine, theirs] = await Promise.all([waiting, other.waitForSignature(requestId)]);
  await following;
  assert.equal(mine.signature, theirs.signature);
  const lotus = (await instantiateSecp256k1()).verifySignatureSchnorr; // the same as that of Bitcoin Cash
  const [signature, key, message] = [mine.signature, mine.aggregatedPublicKey, asked.message].map(hexToBin);
  assert(lotus(signature!, key!, message!));
  assert(!lotus(signature!, key!, randomBytes(32)));
  assert.equal(states[0], "open");
  assert.equal(states.at(-1), "complete");
});
