// A peer of musigd's network, written from docs/protocol.md: told on stdin what to do, it says on stdout what happened,
// both as JSON, a line each.
//
//     node peer.mjs NETWORK SEED [MULTIADDR TO LISTEN ON]
import { createInterface } from "node:readline";
import { multiaddr } from "@multiformats/multiaddr";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { Directory } from "./directory.mjs";
import { hex, unhex } from "./hashes.mjs";
import { startNode } from "./node.mjs";
import { checked, Identity, opened } from "./records.mjs";
import { Sessions } from "./sessions.mjs";

const [network, seedInHex, listen = "/ip4/127.0.0.1/tcp/0"] = process.argv.slice(2);
const HOUR_MS = 3_600_000;
const TYPE = "spend";
const topic = `musigd/${network}/signers/${TYPE}`;

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const fault = (peerId, error) => tell({ said: "fault", peer: peerId.toString(), reason: error.reason ?? error.name, message: error.message });

const seed = unhex(seedInHex);
const node = await startNode(network, seed, [listen]);
const keys = new Map();
const directory = new Directory(node, network, (peerId, op) => tell({ said: "question", op, from: peerId.toString() }), fault);
const sessions = new Sessions(node, network, keys, tell, fault);
await directory.links.listen();
await sessions.links.listen();
const connected = () => node.getPeers()[0];

node.services.pubsub.addEventListener("message", ({ detail }) => {
  if (detail.topic !== topic) return;
  try {
    const { type, record } = checked(opened(detail.data), Date.now(), true);
    tell({ said: "heard", type, publicKey: hex(record.pubkey ?? record.peer) });
  } catch (error) {
    fault(node.peerId, error);
  }
});
node.services.pubsub.subscribe(topic);

/** A key's advertisement and entry; `after`: a ts that the new one has to exceed. */
function advertisement(me, after = 0) {
  const ts = Math.max(Date.now(), after + 1);
  const said = { ts, exp: ts + HOUR_MS, peer: me.peer, types: [TYPE], pubkey: me.pubkey, scheme: me.scheme };
  const addrs = node.getMultiaddrs().map((addr) => Buffer.from(addr.decapsulateCode(421).bytes));
  const ad = me.seal("advertisement", { ...said, addrs, trust: {}, metadata: {} });
  return [ad, me.seal("entry", { ...said, ad: ad.id })];
}

const WAYS = {
  nowhere: async () => 0,
  push: async (ad, entry) => (await directory.ask(connected(), "push", [[ad.envelope, entry.envelope]]))[1],
  gossip: async (ad, entry) => {
    for (const each of [entry, ad]) await node.services.pubsub.publish(topic, each.envelope);
    return node.services.pubsub.getSubscribers(topic).length;
  },
  own: async (ad, entry) => {
    directory.log.take([ad.envelope, entry.envelope], true);
    return (await directory.hello(connected()))[0];
  },
};

const keyUnder = (key) => Buffer.from(`/musigd-${network}/${key}`);

async function put(key, envelope) {
  const events = [];
  for await (const event of node.services.dht.put(keyUnder(key), envelope)) events.push(event);
  const accepted = events.filter(({ name, messageName }) => name === "PEER_RESPONSE" && messageName === "PUT_VALUE");
  const failed = events.filter(({ name }) => name === "QUERY_ERROR").map(({ error }) => error.message);
  return { accepted: accepted.length, failed };
}

/** The newest record under a key. js-libp2p prefers its own copy, which is there if a daemon stored it here. */
async function get(key) {
  const found = [];
  for await (const event of node.services.dht.get(keyUnder(key))) {
    if (event.name === "VALUE") found.push({ from: event.from.toString(), ...shown(event.value) });
  }
  return found;
}

function shown(value) {
  const { type, record, id } = checked(opened(value), Date.now(), false);
  return { type, publicKey: hex(record.pubkey), ts: record.ts, id: hex(id) };
}

/** Asks again until the answer is good; who told this peer to wait gives up first. */
async function until(ask, isGood) {
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const records = new Map(); // by key: the newest advertisement
const COMMANDS = {
  connect: async ({ addr }) => ({ peer: (await node.dial(multiaddr(addr))).remotePeer.toString() }),
  // Until a daemon follows the topic.
  followed: async () => ({ by: await until(() => node.services.pubsub.getSubscribers(topic).length, (count) => count > 0) }),
  advertise: async ({ scheme, how }) => {
    const me = new Identity(scheme, secp256k1.utils.randomSecretKey(), seed);
    keys.set(hex(me.pubkey), me);
    const [ad, entry] = advertisement(me);
    records.set(hex(me.pubkey), ad);
    return { key: hex(me.pubkey), taken: await WAYS[how](ad, entry) };
  },
  pull: async () => {
    const count = await directory.pull(connected());
    const lines = [...directory.log.lines.values()].map(({ signed }) => `${signed.type} ${hex(signed.record.pubkey ?? signed.record.peer)}`);
    return { count, lines };
  },
  // The published record, or a newer one of the same key.
  put: async ({ key, newer }) => {
    if (newer) records.set(key, advertisement(keys.get(key), records.get(key).record.ts)[0]);
    return { ...(await put(key, records.get(key).envelope)), ts: records.get(key).record.ts };
  },
  // Asked until the record is there: a daemon publishes after it has answered its wallet.
  find: async ({ key }) => ({ found: await until(() => get(key), (found) => found.length > 0) }),
  forge: async ({ key }) => {
    const envelope = Buffer.from(records.get(key).envelope);
    envelope[envelope.length - 1] ^= 1;
    return put(key, envelope);
  },
  links: async ({ protocol }) => ({ smaller: sessions.links.ownIsSmaller(connected()), ...{ session: sessions, directory }[protocol].links.state(connected()) }),
  openToo: async ({ protocol }) => {
    await { session: sessions, directory }[protocol].links.openToo(connected());
    return {};
  },
};

tell({ said: "ready", peer: node.peerId.toString(), addrs: node.getMultiaddrs().map(String) });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  COMMANDS[command.do](command).then(
    (answer) => tell({ said: "done", number: command.number, ...answer }),
    (error) => tell({ said: "failed", number: command.number, message: `${error.name}: ${error.message}` }),
  );
}
await node.stop();
