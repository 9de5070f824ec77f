/** Pairing links are those of musig-cli and the Python kit, and one that was cut off is said to be incomplete. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NoPairing, pairingLink, readPairing, type Pairing } from "../src/index.js";

const ALICE: Pairing = {
  multiaddrs: ["/ip4/127.0.0.1/tcp/4328/p2p/12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE"],
  publicKey: "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
  scheme: "bip340",
  nickname: "B\u00f6b (1+1)",
  network: "main",
};
const WHOLE = pairingLink(ALICE);
const OLDER = WHOLE.replace(/sum=\w+&/, "");

test("a written link is read back, and one of an older daemon too", () => {
  assert.deepEqual(readPairing(WHOLE), ALICE);
  assert.deepEqual(readPairing(OLDER), ALICE);
  assert.deepEqual(readPairing(`${OLDER}&colour=red`), ALICE);
});

test("a link has the same sum as musig-cli and the Python kit write", () => {
  assert.match(WHOLE, /^musigd:\/\/pair\?sum=af893158&addr=\/ip4\//);
});

test("a link without its last characters is called incomplete, wherever it was cut", () => {
  const begin = WHOLE.indexOf("sum=") + "sum=".length;
  for (let end = begin; end < WHOLE.length; end++) assert.throws(() => readPairing(WHOLE.slice(0, end)), /this link is incomplete/);
  for (let end = 0; end < begin; end++) assert.throws(() => readPairing(WHOLE.slice(0, end)), /whole/);
  assert.throws(() => readPairing(WHOLE.replace("4328", "4329")), NoPairing);
});

test("a link written in other characters of the same meaning is whole", () => {
  for (const other of [WHOLE.replace("/ip4/", "%2Fip4%2F"), WHOLE.replace("%20", "+"), WHOLE.replace("%C3%B6", "\u00f6")]) {
    assert.notEqual(other, WHOLE);
    assert.deepEqual(readPairing(other), ALICE);
  }
});

test("what is no pairing link is refused with the reason", () => {
  const refused: [string, RegExp][] = [
    ["https://example.org/pair?key=1", /begins with musigd:\/\/pair\?/],
    [OLDER.replace("&scheme=bip340", ""), /one scheme, and this one has none: copy it whole/],
    [`${OLDER}&key=${ALICE.publicKey}`, /one key, and this one has 2/],
    [OLDER.replace("=bip340", "=ecdsa"), /is lotus or bip340/],
    [OLDER.replace("=main", "=ma%0Ain"), /network of a pairing link is a name/],
    [OLDER.replace("=B", "=%E2%80%AEB"), /is one line/],
    [OLDER.replace("=B", `=${"b".repeat(101)}`), /at most 100 characters/],
    [OLDER.replace("/p2p/", "/p3p/"), /ends in \/p2p\//],
    [OLDER.replace("=02", "=04"), /33 bytes/],
    [`${OLDER}&x=${"x".repeat(2_000)}`, /at most 2000 characters/],
  ];
  for (const [link, said] of refused) assert.throws(() => readPairing(link), said);
  assert.throws(() => pairingLink({ ...ALICE, multiaddrs: [] }), NoPairing);
});
