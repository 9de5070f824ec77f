/** Where a client in Node looks for its daemon, and that it shows nobody its token. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import { Client, httpTransport, MusigdError, Unreachable } from "../src/node/index.js";
import { locatorOf } from "../src/node/locator.js";
import { headersOf, protocolsOf } from "../src/transport.js";

let folder: string;
let tokenFile: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "musigd locator "));
  tokenFile = join(folder, "token");
  await writeFile(tokenFile, "of the file\n");
  await writeFile(join(folder, ".cookie"), "of the cookie\n");
  await writeFile(join(folder, "endpoint.json"), JSON.stringify({ rpc: "http://127.0.0.1:1/rpc", ws: "ws://127.0.0.1:1/ws" }));
});
after(() => rm(folder, { recursive: true }));

test("what is named counts before the variables, and a URL before a data directory", async () => {
  const tokenOf = async (place: object, environment: Record<string, string>): Promise<(string | undefined)[]> => {
    const found = await locatorOf(place, environment)();
    return [found.rpc, found.token];
  };
  const cookie = ["http://127.0.0.1:1/rpc", "of the cookie"];
  assert.deepEqual(await tokenOf({ datadir: folder }, { MUSIG_URL: "http://other", MUSIG_TOKEN_FILE: "/nowhere" }), cookie);
  assert.deepEqual(await tokenOf({}, { MUSIGD_DATADIR: folder }), cookie);
  assert.deepEqual(await tokenOf({ datadir: folder, tokenFile }, {}), ["http://127.0.0.1:1/rpc", "of the file"]);
  assert.deepEqual(await tokenOf({}, { MUSIG_URL: "http://other", MUSIG_TOKEN_FILE: tokenFile }), ["http://other/rpc", "of the file"]);
  assert.deepEqual(await tokenOf({ url: "http://it", token: () => "asked" }, { MUSIG_TOKEN_FILE: tokenFile }), ["http://it/rpc", "asked"]);
});

test("of two things that exclude each other none is passed over", () => {
  const url = "http://it";
  const token = "weaker";
  for (const place of [{ url, token, tokenFile }, { url, datadir: folder }, { socket: "/s", token }, { socket: "/s", datadir: folder }]) {
    assert.throws(() => locatorOf(place, {}), /name one of them|leave out/);
  }
  assert.doesNotThrow(() => locatorOf({ socket: "/s", token: undefined }, {}));
});

test("a token that was read with the line break of its file is sent without it", () => {
  const endpoint = { rpc: "http://it/rpc", ws: "ws://it/ws", token: "weaker\n" };
  assert.equal(headersOf(endpoint)["Authorization"], "Bearer weaker");
  assert.deepEqual(protocolsOf(endpoint), ["musigd", "bearer.weaker"]);
});

test("a variable that is set and empty is no other place", () => {
  for (const name of ["MUSIG_URL", "MUSIG_TOKEN_FILE", "MUSIGD_DATADIR"]) {
    assert.throws(() => locatorOf({}, { [name]: "" }), new RegExp(`${name} is empty`));
  }
});

test("a directory without a daemon, and a token file that is not there, say what to do", async () => {
  await assert.rejects(locatorOf({ datadir: join(folder, "empty") }, {})(), (problem: unknown) =>
    problem instanceof Unreachable && problem.nobody && /musigd run/.test(problem.message));
  await assert.rejects(locatorOf({ url: "http://it", tokenFile: join(folder, "none") }, {})(), /no token file/);
  await assert.rejects(locatorOf({ url: "http://it", tokenFile: folder }, {})(), (problem: unknown) =>
    problem instanceof MusigdError && !(problem instanceof Unreachable) && /EISDIR/.test(problem.message));
});

test("neither a client nor its failures show the token", async () => {
  const client = new Client(httpTransport({ url: "http://127.0.0.1:9", token: "secret-token" }), { patienceMs: 0 });
  const problem: unknown = await client.getInfo().catch((each: unknown) => each);
  assert(problem instanceof Unreachable);
  assert.doesNotMatch(inspect([client, problem], { depth: 9, showHidden: true }), /secret-token/);
});
