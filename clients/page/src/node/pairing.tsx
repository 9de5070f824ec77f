// Pairing: two people who know each other exchange a link, and need no market.
import { NoPairing, pairingLink, readPairing, type Contact, type Info, type Key } from "musigd-client";
import { useState } from "preact/hooks";
import { encode } from "uqr";
import { sentenceOf } from "../daemon.js";
import { useDaemon, useInfo, useLive } from "../live.js";
import { Press, Problem, useAction } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Id, plain, Said } from "../parts/text.js";

const MOST_ADDRESSES = 2; // with more, the code gets too fine for a camera
const LOOPBACK = /^\/(ip4\/127\.|ip6\/::1\/)/;

/** The link of this daemon and one of its keys, as musig-cli pair makes it; null without an address to dial. */
function linkOf(info: Info, key: Key, nickname: string): string | null {
  const near = (address: string): number => (LOOPBACK.test(address) ? 1 : 0);
  const multiaddrs = [...info.multiaddrs].sort((a, b) => near(a) - near(b)).slice(0, MOST_ADDRESSES);
  return multiaddrs.length ? pairingLink({ multiaddrs, publicKey: key.publicKey, scheme: key.scheme, network: info.network, nickname }) : null;
}

/** A link, or why there is none: what was typed may fit no link, and must not end the page. */
function told(make: () => string | null): { link: string | null | undefined; problem: string } {
  try {
    return { link: make(), problem: "" };
  } catch (problem) {
    if (!(problem instanceof NoPairing)) throw problem;
    return { link: undefined, problem: sentenceOf(problem) };
  }
}

/** The link of a key, as text and as a code for a camera. */
export function PairingOf({ pairs }: { pairs: Key }) {
  const { info } = useInfo();
  const [nickname, setNickname] = useState("");
  const { link, problem } = told(() => linkOf(info, pairs, nickname.trim()));
  if (link === null) return <p>This daemon has no address that others can dial: see its problems above, or set p2p.announce.</p>;
  return (
    <div class="pairing">
      {link && <Code text={link} />}
      <div>
        <label>Your name in it<input maxLength={100} value={nickname} onInput={(event) => setNickname(event.currentTarget.value)} /></label>
        <Problem text={problem} />
        {link && <label>Link, for somebody you know<textarea readOnly rows={5} value={link} onFocus={(event) => event.currentTarget.select()} /></label>}
        <p><small>Nothing in it is secret. Who passes it on can put a key of his own into it: compare the key with its owner.</small></p>
      </div>
    </div>
  );
}

function Code({ text }: { text: string }) {
  const { data, size } = encode(text, { ecc: "L", border: 2 });
  const dark = data.flatMap((row, y) => row.flatMap((set, x) => (set ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code of the link" shape-rendering="crispEdges">
      <rect width={size} height={size} class="light" /><path d={dark.join("")} class="dark" />
    </svg>
  );
}

/** Signers whom the owner knows. */
export function Contacts() {
  const daemon = useDaemon();
  const { data, problem, reload } = useLive<readonly Contact[]>(async (_, signal) => (await daemon.client.listContacts({}, { signal })).contacts, ["contact", "peer"]);
  const remove = (publicKey: string) => async (): Promise<void> => {
    await daemon.client.removeContact({ publicKey });
    reload();
  };
  return (
    <section aria-labelledby="contacts">
      <h2 id="contacts">Contacts</h2>
      <Problem text={problem} />
      <Table caption="Known signers" rows={data ?? []} keyOf={(contact) => contact.publicKey} empty="Nobody yet. A link of somebody you know adds one."
        columns={[
          { name: "Name", heads: true, cell: (contact) => <>{contact.nickname ? <Said text={contact.nickname} /> : <em>no name</em>}<br /><Id id={contact.publicKey} /></> },
          { name: "Scheme", cell: (contact) => contact.scheme },
          { name: "Peer", cell: (contact) => <Id id={contact.peerId} /> },
          { name: "", cell: ({ publicKey, nickname }) => <>
            {daemon.may("announceSigningRequest") && <a class="button" href={`/requests/new?with=${publicKey}`} aria-label={`Ask ${plain(nickname ?? publicKey)} to sign`}>Ask to sign</a>}
            {daemon.may("removeContact") && <Press call={remove(publicKey)}>Forget</Press>}</> },
        ]} />
      {daemon.may("addContact") && <AddContact done={reload} />}
    </section>
  );
}

function AddContact({ done }: { done: () => void }) {
  const daemon = useDaemon();
  const action = useAction();
  const [link, setLink] = useState("");
  const [said, setSaid] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    let connected = false;
    const add = async (): Promise<void> => {
      readPairing(link.trim());
      connected = (await daemon.client.addContact({ link: link.trim() })).connected;
    };
    if (!(await action.run(add))) return;
    setLink("");
    setSaid(connected ? "Added, and connected." : "Added; their daemon could not be reached just now.");
    done();
  };
  return (
    <form class="reason" onSubmit={(event) => void submit(event)}>
      <label>Link of somebody you know<input required maxLength={2000} spellcheck={false} placeholder="musigd://pair?…" value={link} onInput={(event) => setLink(event.currentTarget.value)} /></label>
      <button disabled={action.busy}>{action.busy ? "Adding …" : "Add"}</button>
      <Problem text={action.problem} />
      <span role="status">{said}</span>
    </form>
  );
}
