// What the peer can be told about being found and finding: docs/protocol.md, sections 8 and 9.
import { multiaddr } from "@multiformats/multiaddr";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { hex } from "./wire/hashes.mjs";
import { checked, Identity, opened } from "./wire/records.mjs";

const HOUR_MS = 3_600_000;
export const TYPE = "spend";

/** Asks again until the answer is good; who told this peer to wait gives up first. */
async function until(ask, isGood) {
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A key's advertisement and entry; `after`: a ts that the new one has to exceed. */
function advertisement(world, me, after = 0) {
  const ts = Math.max(Date.now(), after + 1);
  const said = { ts, exp: ts + HOUR_MS, peer: me.peer, types: [TYPE], pubkey: me.pubkey, scheme: me.scheme };
  const ad = me.seal("advertisement", { ...said, addrs: world.addrs, trust: {}, metadata: {} });
  return [ad, me.seal("entry", { ...said, ad: ad.id })];
}

const waysToBeFound = ({ node, topic, directory }, connected) => ({
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
});

export const keyUnder = (network, key) => Buffer.from(`/musigd-${network}/${key}`);

async function put(world, key, envelope) {
  const events = [];
  for await (const event of world.node.services.dht.put(keyUnder(world.network, key), envelope)) events.push(event);
  const accepted = events.filter(({ name, messageName }) => name === "PEER_RESPONSE" && messageName === "PUT_VALUE");
  const failed = events.filter(({ name }) => name === "QUERY_ERROR").map(({ error }) => error.message);
  return { accepted: accepted.length, failed };
}

/** The records under a key that come. js-libp2p prefers its own copy, which is there if a daemon stored it here. */
export async function get(world, key) {
  const found = [];
  for await (const event of world.node.services.dht.get(keyUnder(world.network, key))) {
    if (event.name === "VALUE") found.push({ from: event.from, signed: checked(opened(event.value), Date.now(), false) });
  }
  return found;
}

const shown = ({ from, signed: { type, record, id } }) => ({ from: from.toString(), type, publicKey: hex(record.pubkey), ts: record.ts, id: hex(id) });

export function discoveryCommands(world) {
  const { node, keys, records, directory, sessions } = world;
  const ways = waysToBeFound(world, () => world.connected);
  const linksOf = (protocol) => ({ session: sessions, directory })[protocol].links;
  return {
    connect: async ({ addr }) => {
      const { remotePeer, remoteAddr } = await node.dial(multiaddr(addr));
      return { peer: remotePeer.toString(), over: remoteAddr.toString() };
    },
    // After the daemon was away; until it is there.
    connectAgain: async ({ addr }) => {
      const dialled = () => node.dial(multiaddr(addr)).catch(() => null);
      return { peer: (await until(dialled, (connection) => connection !== null)).remotePeer.toString() };
    },
    hangUp: async () => {
      for (const peerId of node.getPeers()) await node.hangUp(peerId);
      return {};
    },
    // Until a daemon follows the topic.
    followed: async () => ({ by: await until(() => node.services.pubsub.getSubscribers(world.topic).length, (count) => count > 0) }),
    advertise: async ({ scheme, how }) => {
      const me = new Identity(scheme, secp256k1.utils.randomSecretKey(), world.seed);
      keys.set(hex(me.pubkey), me);
      const [ad, entry] = advertisement(world, me);
      records.set(hex(me.pubkey), ad);
      return { key: hex(me.pubkey), taken: await ways[how](ad, entry) };
    },
    pull: async () => {
      const count = await directory.pull(world.connected);
      const lines = [...directory.log.lines.values()].map(({ signed }) => `${signed.type} ${hex(signed.record.pubkey ?? signed.record.peer)}`);
      return { count, lines };
    },
    // Pulled again until a notice is there: it comes to a daemon by gossip.
    pullNotice: async () => {
      const isThere = () => [...directory.log.lines.values()].some(({ signed }) => signed.type === "notice");
      await until(async () => (await directory.pull(world.connected), isThere()), (there) => there);
      return {};
    },
    // The published record, or a newer one of the same key.
    put: async ({ key, newer }) => {
      if (newer) records.set(key, advertisement(world, keys.get(key), records.get(key).record.ts)[0]);
      return { ...(await put(world, key, records.get(key).envelope)), ts: records.get(key).record.ts };
    },
    // Asked until the record is there: a daemon publishes after it has answered its wallet.
    find: async ({ key }) => ({ found: (await until(() => get(world, key), (found) => found.length > 0)).map(shown) }),
    forge: async ({ key }) => {
      const envelope = Buffer.from(records.get(key).envelope);
      envelope[envelope.length - 1] ^= 1;
      return put(world, key, envelope);
    },
    links: async ({ protocol }) => ({ smaller: sessions.links.ownIsSmaller(world.connected), ...linksOf(protocol).state(world.connected) }),
    openToo: async ({ protocol }) => {
      await linksOf(protocol).openToo(world.connected);
      return {};
    },
  };
}
