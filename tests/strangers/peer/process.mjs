// The peer as a process of Node: told on stdin what to do, it says on stdout what happened, both as JSON, a line each.
//
//     node process.mjs NETWORK SEED [MULTIADDR TO LISTEN ON, or "nowhere"]
//
// It dials over TCP and WebSocket.
import { createInterface } from "node:readline";
import { tcp } from "@libp2p/tcp";
import { webSockets } from "@libp2p/websockets";
import { startStranger } from "./stranger.mjs";

const [network, seed, listen = "/ip4/127.0.0.1/tcp/0"] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const peer = await startStranger({ network, seed, transports: [tcp(), webSockets()], listen: listen === "nowhere" ? [] : [listen], tell });
for await (const line of createInterface({ input: process.stdin })) peer.told(JSON.parse(line));
await peer.stop();
