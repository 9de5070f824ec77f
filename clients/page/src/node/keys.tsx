import type { Key } from "musigd-client";
import { useState } from "preact/hooks";
import { useDaemon, useLive } from "../live.js";
import { Press, Problem, useAction } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { PairingOf } from "./pairing.js";
import { Badge, Moment, Said, Whole } from "../parts/text.js";

/** The keys that this token may use. */
export function Keys() {
  const daemon = useDaemon();
  const { data, problem, reload } = useLive<readonly Key[]>(async (_, signal) => (await daemon.client.listKeys({}, { signal })).keys, ["key", "node"]);
  const then = async (call: Promise<unknown>): Promise<void> => {
    await call;
    reload();
  };
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">Keys</h2>
      <Problem text={problem} />
      <Table caption="Own keys" rows={data ?? []} keyOf={(key) => key.publicKey} empty="There is no key yet."
        columns={[
          { name: "Key", heads: true, cell: (key) => <>{key.label && <><Said text={key.label} /><br /></>}<Whole hex={key.publicKey} />
            <details><summary>Pair</summary><PairingOf pairs={key} /></details></> },
          { name: "Scheme", cell: (key) => key.scheme },
          { name: "Made", cell: (key) => <Moment at={key.createdAt} /> },
          { name: "State", cell: (key) => key.paused ? <Badge kind="warn">paused</Badge> : <Badge kind="good">in use</Badge> },
          { name: "", cell: ({ paused, publicKey }) => paused
            ? daemon.may("resumeKey") && <Press call={() => then(daemon.client.resumeKey({ publicKey }))}>Resume</Press>
            : daemon.may("pauseKey") && <Press call={() => then(daemon.client.pauseKey({ publicKey }))}>Pause</Press> },
        ]} />
      {daemon.may("createKey") && <MakeKey done={reload} />}
    </section>
  );
}

function MakeKey({ done }: { done: () => void }) {
  const daemon = useDaemon();
  const action = useAction();
  const [label, setLabel] = useState("");
  const [scheme, setScheme] = useState<"lotus" | "bip340">("lotus");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!(await action.run(() => daemon.client.createKey({ scheme, ...(label && { label }) })))) return;
    setLabel("");
    done();
  };
  return (
    <form class="reason" onSubmit={(event) => void submit(event)}>
      <label>Label of the new key<input maxLength={100} value={label} onInput={(event) => setLabel(event.currentTarget.value)} /></label>
      <label>Scheme
        <select value={scheme} onChange={(event) => setScheme(event.currentTarget.value as typeof scheme)}><option value="lotus">lotus</option><option value="bip340">bip340</option></select>
      </label>
      <button disabled={action.busy}>Make a key</button>
      <Problem text={action.problem} />
    </form>
  );
}
