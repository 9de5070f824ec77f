// The peer in a page of a browser: it dials over WebSocket, and nobody can dial it.
import { webSockets } from "@libp2p/websockets";
import { startStranger } from "./stranger.mjs";

/** `say(text)`, which the page has, gets a line of JSON for everything that happened; `told(line)` takes what to do. */
window.start = async (network, seed, listen) => {
  const tell = (what) => window.say(JSON.stringify(what));
  const peer = await startStranger({ network, seed, transports: [webSockets()], listen, tell });
  window.told = (line) => peer.told(JSON.parse(line));
};
