import type { MutedCreator } from "musigd-client";
import { useDaemon, useLive } from "../live.js";
import { Press, Problem } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Id, Moment } from "../parts/text.js";

/** Creators whose requests are not taken, and the way back; nothing where there is none. */
export function Muted({ done }: { done: () => void }) {
  const daemon = useDaemon();
  const { data = [], problem, reload } = useLive<readonly MutedCreator[]>(
    async (_, signal) => (await daemon.client.listMutedCreators({}, { signal })).creators, ["signing-request", "creator"]);
  const unmute = (publicKey: string) => async (): Promise<void> => {
    await daemon.client.unmuteCreator({ publicKey });
    reload();
    done();
  };
  if (!data.length && !problem) return null;
  return (
    <section aria-labelledby="muted">
      <h2 id="muted">Muted</h2>
      <Problem text={problem} />
      <Table caption="Creators whose requests are not taken" rows={data} keyOf={(creator) => creator.publicKey}
        columns={[
          { name: "Creator", heads: true, cell: (creator) => <Id id={creator.publicKey} /> },
          { name: "Since", cell: (creator) => <Moment at={creator.since} /> },
          { name: "", cell: (creator) => daemon.may("unmuteCreator") && <Press call={unmute(creator.publicKey)}>Take requests again</Press> },
        ]} />
    </section>
  );
}
