import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { isRecord } from "../answers.js";
import { MusigdError, Unreachable } from "../errors.js";
import { addressOf, type Endpoint, type HttpOptions } from "../transport.js";

/** Where a daemon is. Files are read again whenever its place or its token may have changed. */
export interface Place extends HttpOptions {
  /** The daemon's data directory: `endpoint.json` says where it listens, `.cookie` holds its token. */
  datadir?: string | undefined;
  /** A file with a token of less rights than the cookie, for a data directory or a URL. */
  tokenFile?: string | undefined;
  /** The daemon's unix socket, which needs no token. */
  socket?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Looks up what was asked for, else what the environment names, else the usual data directory. */
export function locatorOf(place: Place, environment: Environment): () => Promise<Endpoint> {
  requireOne(place);
  const { socket } = place;
  if (socket !== undefined) return async () => ({ ...addressOf("http://localhost"), socket });
  const named = place.url === undefined && place.datadir === undefined;
  const url = named ? set("MUSIG_URL", environment) : place.url;
  const usualFile = place.datadir === undefined ? set("MUSIG_TOKEN_FILE", environment) : undefined;
  const tokenFile = place.tokenFile ?? (place.token === undefined ? usualFile : undefined);
  const token = async (cookie?: string): Promise<string | undefined> => {
    if (place.token !== undefined) return typeof place.token === "function" ? place.token() : place.token;
    const file = tokenFile ?? cookie;
    return file === undefined ? undefined : tokenIn(file);
  };
  if (url !== undefined) {
    const address = addressOf(url);
    return async () => ({ ...address, token: await token() });
  }
  const datadir = place.datadir ?? usualDatadir(environment);
  return async () => ({ ...(await listening(datadir)), token: await token(join(datadir, ".cookie")) });
}

/** Throws where one of two things would be passed over: it may have been the token of less rights. */
function requireOne({ url, datadir, socket, token, tokenFile }: Place): void {
  if (token !== undefined && tokenFile !== undefined) throw new MusigdError("token and tokenFile: name one of them");
  if (url !== undefined && datadir !== undefined) throw new MusigdError("url and datadir: name one of them");
  if (socket === undefined) return;
  const besides = Object.entries({ url, datadir, token, tokenFile }).filter(([, value]) => value !== undefined);
  if (besides.length > 0) {
    throw new MusigdError(`a unix socket needs nothing besides: leave out ${besides.map(([name]) => name).join(", ")}`);
  }
}

/** What endpoint.json says now; only a connection shows whether the daemon runs. */
async function listening(datadir: string): Promise<{ rpc: string; ws: string }> {
  const said: unknown = await readFile(join(datadir, "endpoint.json"), "utf8").then(JSON.parse).catch(() => null);
  if (!isRecord(said)) {
    const remedy = "start it with musigd run, or wait until it is ready";
    throw new Unreachable(`no daemon runs with the data directory ${datadir}: ${remedy}`, true);
  }
  return { rpc: String(said["rpc"]), ws: String(said["ws"]) };
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (problem) {
    const { code } = problem as { code?: string };
    if (code === "ENOENT") throw new Unreachable(`there is no token file ${file}; is the daemon running?`, true);
    throw new MusigdError(`cannot read the token in ${file} (${code})`);
  }
}

function usualDatadir(environment: Environment): string {
  const named = set("MUSIGD_DATADIR", environment);
  const home = environment["XDG_DATA_HOME"] ?? "";
  return named ?? join(isAbsolute(home) ? home : join(homedir(), ".local", "share"), "musigd");
}

/** A variable; an empty one is refused, as it was meant to name another place. */
function set(name: string, environment: Environment): string | undefined {
  const value = environment[name];
  if (value === "") throw new MusigdError(`The variable ${name} is empty: name a place in it, or unset it.`);
  return value;
}
