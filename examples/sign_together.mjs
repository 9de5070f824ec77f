// All four phases from the side of wallets, with nothing but fetch and, where there is one (Node 22 or newer, browsers),
// WebSocket; Node 20 has none and asks with getEvents, which waits.
//
//     node examples/sign_together.mjs ALICE_DATADIR BOB_DATADIR
//
// Each data directory belongs to a running daemon; only reading its address and token needs a file system.
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

const SCHEME = "lotus";
const TYPE = "spend";
const KEY_PATH = [{ taprootMerkleRoot: null }];
const PATIENCE = 120_000;

/** A daemon: calls over HTTP, events over a WebSocket that resumes where it broke, or by long polling. */
class Daemon {
  constructor(datadir) {
    this.datadir = datadir;
    this.nextSeq = null;
    this.heard = [];
    this.wake = () => {};
    this.closed = false;
    this.ending = new AbortController();
  }

  endpoint() {
    const { rpc, ws } = JSON.parse(readFileSync(`${this.datadir}/endpoint.json`, "utf8"));
    return { rpc, ws, token: readFileSync(`${this.datadir}/.cookie`, "utf8").trim() };
  }

  async call(method, params = {}) {
    const { rpc, token } = this.endpoint();
    const response = await fetch(rpc, {
      method: "POST",
      headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      signal: this.ending.signal,
    });
    const { result, error } = await response.json();
    if (error) throw Object.assign(new Error(`${method}: ${error.message}`), error);
    return result;
  }

  /** Follows all events from where the log stands now. */
  async follow() {
    if (this.nextSeq === null) ({ nextSeq: this.nextSeq, logId: this.logId } = await this.call("getInfo"));
    if (typeof WebSocket === "undefined") return void this.poll();
    const { ws, token } = this.endpoint();
    const socket = new WebSocket(ws, ["musigd", `bearer.${token}`]);
    this.socket = socket;
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = () => this.closed || setTimeout(() => this.follow().catch(() => socket.onclose()), 500);
    await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
    const params = { fromSeq: this.nextSeq, logId: this.logId };
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "subscribe", params }));
  }

  /** The same events page by page: getEvents waits for the next one. */
  async poll() {
    while (!this.closed) {
      try {
        const params = { fromSeq: this.nextSeq, logId: this.logId, waitMs: 30_000 };
        const page = await this.call("getEvents", params);
        page.events.forEach((event) => this.hear(event));
        this.nextSeq = page.nextSeq;
      } catch (problem) { // the daemon is away, perhaps: the events are kept
        if (!this.closed) console.error(`no events: ${problem.message}`);
        await pause(500);
      }
    }
  }

  take(message) {
    if (message.method === "subscription") this.hear(message.params.result);
  }

  hear(event) {
    if (event.event === "events:progress") this.nextSeq = event.data.nextSeq;
    else if (event.seq >= this.nextSeq) {
      this.nextSeq = event.seq + 1;
      this.heard.push(event);
      this.wake();
    }
  }

  /** The data of the first event of that name for which `fits` holds. */
  async event(name, fits = () => true) {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const found = this.heard.find((each) => each.event === name && fits(each.data));
      if (found) return found.data;
      if (Date.now() > end) throw new Error(`no ${name} came`);
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 1_000);
      });
    }
  }

  close() {
    this.closed = true;
    this.ending.abort();
    this.socket?.close();
  }
}

/** One input of `amount` paid to `script`, one output back to it less `fee`, and what input 0 signs: SIGHASH_LOTUS, type
 *  0x61. docs/worked-transactions.md goes through it value by value. */
function spendOf(script, amount, fee) {
  const bytes = (...parts) => Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "hex") : part)));
  const sha256 = (data) => createHash("sha256").update(data).digest();
  const sha256d = (...parts) => sha256(sha256(bytes(...parts)));
  const u64 = (value) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64LE(BigInt(value));
    return buffer;
  };
  const output = (value) => bytes(u64(value), Buffer.of(script.length / 2), script);
  const [spent, paid] = [output(amount), output(amount - fee)];
  const [version, sequence, locktime] = ["02000000", "ffffffff", "00000000"];
  const outpoint = bytes(sha256(Buffer.from("stands for the funding transaction")), "00000000");
  const message = sha256d(
    "61000000", sha256d("00", outpoint, sequence, spent),
    "00000000", sha256d(spent), u64(amount), u64(amount - fee),
    version, sha256d(outpoint, sequence), "01", sha256d(paid), "01", locktime,
  );
  const transaction = bytes(version, "01", outpoint, "00", sequence, "01", paid, locktime);
  return { message: message.toString("hex"), transactionHex: transaction.toString("hex"), spentOutputs: [{ value: amount, script }] };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const [aliceDir, bobDir] = process.argv.slice(2);
if (!bobDir) {
  console.error("usage: node examples/sign_together.mjs ALICE_DATADIR BOB_DATADIR");
  process.exit(2);
}
const [alice, bob] = [new Daemon(aliceDir), new Daemon(bobDir)];
await Promise.all([alice.follow(), bob.follow()]);
const [aliceKey, bobKey] = (await Promise.all([alice, bob].map((daemon) =>
  daemon.call("createKey", { scheme: SCHEME, idempotencyKey: randomUUID() })))).map((key) => key.publicKey);

// Daemons find each other by bootstrap nodes or mDNS; on one machine it is quicker to tell them.
await alice.call("connectPeer", { multiaddr: (await bob.call("getInfo")).multiaddrs[0] });

// Phase 0: Bob advertises.
await alice.call("subscribeToSignerDiscovery", { transactionTypes: [TYPE] });
await bob.call("advertiseSigner", {
  publicKey: bobKey,
  criteria: { transactionTypes: [TYPE], minAmount: 1_000_000 },
  metadata: { nickname: "bob", fees: 0 },
});
console.log(`bob advertises ${bobKey}`);

// Phase 1: Alice finds him, in the directory or as soon as she hears of him.
for (const end = Date.now() + PATIENCE; ;) {
  const found = await alice.call("findAvailableSigners", { transactionType: TYPE, scheme: SCHEME, refresh: true });
  if (found.signers.some((signer) => signer.publicKey === bobKey)) break;
  if (Date.now() > end) throw new Error("alice does not find bob");
  await pause(500);
}
console.log("alice has found bob");

// Phase 2: the aggregate key, a transaction that spends from it, the request; Bob looks at it and joins.
const keys = [aliceKey, bobKey];
const { address, scriptPubKey } = await alice.call("aggregateKeys", { publicKeys: keys, scheme: SCHEME, tweaks: KEY_PATH });
console.log(`together they are ${address}`);
const { message, ...shown } = spendOf(scriptPubKey, 5_000_000, 1_000);
const { requestId } = await alice.call("announceSigningRequest", {
  requiredPublicKeys: keys,
  message,
  inputIndex: 0,
  publicKey: aliceKey,
  tweaks: KEY_PATH,
  metadata: { ...shown, amount: 5_000_000, transactionType: TYPE },
  idempotencyKey: randomUUID(),
});
console.log(`alice asks: request ${requestId}`);
const { request } = await bob.event("signing-request:received", (data) => data.requestId === requestId);
if (!request.messages[0].checked) throw new Error("this is not what bob wants to sign");
await bob.call("joinSigningRequest", { requestId, publicKey: bobKey, requireChecked: true });
console.log("bob has looked at it: the message is the hash of the transaction shown; he joins");

// Phase 3: the daemons do both rounds by themselves.
const finalOf = async (daemon) => {
  await daemon.event("signature:finalized", (data) => data.requestId === requestId);
  return daemon.call("getFinalSignature", { requestId, waitMs: 60_000 });
};
const [final, same] = await Promise.all([alice, bob].map(finalOf));
const { valid } = await bob.call("verifySignature", {
  publicKey: final.aggregatedPublicKey, message, signature: final.signature, scheme: SCHEME,
});
if (!valid || same.signature !== final.signature) throw new Error("the signature does not hold");
console.log(`signature ${final.signature}`);
alice.close();
bob.close();
