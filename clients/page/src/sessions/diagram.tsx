// The states of a session as a picture: where it is, what lies behind it, and how it ended.
import type { Session } from "musigd-client";

const STATES = [
  ["joining", "joining", "who joins"],
  ["ready", "ready", "all joined"],
  ["round1", "round 1", "nonces"],
  ["round2", "round 2", "partials"],
  ["complete", "complete", "signature"],
] as const;
const [WIDTH, GAP, HEIGHT] = [104, 28, 46];

/** How far a session came: the place of its phase; of an aborted one, the last that its signers had reached. */
export function reached(session: Session): number {
  const place = STATES.findIndex(([phase]) => phase === session.phase);
  if (place >= 0) return place;
  const all = (what: "joined" | "nonce"): boolean => session.signers.every((signer) => signer[what]);
  return all("nonce") ? 3 : all("joined") ? 2 : 0;
}

export function Diagram({ session }: { session: Session }) {
  const aborted = session.phase === "aborted";
  const at = reached(session);
  const width = STATES.length * (WIDTH + GAP) - GAP + 4;
  return (
    <svg class="diagram" viewBox={`0 0 ${width} ${aborted ? 118 : 54}`} role="img"
      aria-label={`State: ${session.phase}${aborted ? `, in ${STATES[at]![1]}` : ""}`}>
      {STATES.map(([phase, name, what], place) => {
        const x = 2 + place * (WIDTH + GAP);
        const state = place < at || session.phase === "complete" ? "past" : place > at ? "ahead" : aborted ? "broken" : "now";
        return (
          <g key={phase} class={state}>
            {place > 0 && <path d={`M${x - GAP + 2} 25h${GAP - 10}m-5 -4l5 4l-5 4`} class="arrow" />}
            <rect x={x} y={2} width={WIDTH} height={HEIGHT} rx={8} />
            <text x={x + WIDTH / 2} y={22} class="middle name">{name}</text>
            <text x={x + WIDTH / 2} y={38} class="middle what">{what}</text>
          </g>
        );
      })}
      {aborted && (
        <g class="broken">
          <path d={`M${2 + at * (WIDTH + GAP) + WIDTH / 2} 50v14m-4 -5l4 5l4 -5`} class="arrow" />
          <rect x={2 + at * (WIDTH + GAP)} y={68} width={WIDTH} height={HEIGHT} rx={8} />
          <text x={2 + at * (WIDTH + GAP) + WIDTH / 2} y={96} class="middle name">aborted</text>
        </g>
      )}
    </svg>
  );
}
