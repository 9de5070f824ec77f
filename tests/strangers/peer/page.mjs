// The peer in a page of a browser: it dials over WebSocket, and nobody can dial it.
import { webSockets } from "@libp2p/websockets";
import { startStranger } from "./stranger.mjs";

/** `say(text)` gets a line of JSON for everything that happened; the answer takes a line for everything to do. */
window.startStranger = async (network, seed, say) => {
  const tell = (what) => say(JSON.stringify(what));
  const peer = await startStranger({ network, seed, transports: [webSockets()], listen: [], tell });
  return (line) => peer.told(JSON.parse(line));
};
