// A picture of who takes what: transaction types against amounts, as colours, and the same numbers as a table.
import type { Advertisement } from "musigd-client";
import { plain } from "../parts/text.js";

/** The amounts that the columns stand for, in satoshis. */
const AMOUNTS = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
const NAMES = ["1\u202fk", "10\u202fk", "100\u202fk", "1\u202fM", "10\u202fM", "100\u202fM", "1\u202fG"];
const MOST_ROWS = 10;
const [LEFT, TOP, WIDTH, HEIGHT] = [90, 20, 58, 26];

export interface Supply {
  type: string;
  counts: number[];
}

/** How many signers of each type take each amount; the types that most signers name come first. */
export function supplyOf(signers: readonly Advertisement[]): Supply[] {
  const rows = new Map<string, number[]>();
  for (const { criteria } of signers) {
    for (const type of criteria.transactionTypes) {
      const counts = rows.get(type) ?? AMOUNTS.map(() => 0);
      rows.set(type, counts);
      AMOUNTS.forEach((amount, place) => {
        if ((criteria.minAmount ?? 0) <= amount && amount <= (criteria.maxAmount ?? Infinity)) counts[place]! += 1;
      });
    }
  }
  return [...rows].map(([type, counts]) => ({ type, counts }))
    .sort((a, b) => Math.max(...b.counts) - Math.max(...a.counts)).slice(0, MOST_ROWS);
}

export function SupplyPicture({ signers }: { signers: readonly Advertisement[] }) {
  const rows = supplyOf(signers);
  if (rows.length === 0) return null;
  const most = Math.max(1, ...rows.flatMap((row) => row.counts));
  const [width, height] = [LEFT + AMOUNTS.length * WIDTH, TOP + rows.length * HEIGHT + 4];
  return (
    <figure class="supply">
      <figcaption>Signers by type and amount (sat) that they take</figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Supply: ${rows.map(sentence).join("; ")}`}>
        {NAMES.map((name, column) => <text key={name} x={LEFT + (column + 0.5) * WIDTH} y={13} class="axis middle">{name}</text>)}
        {rows.map(({ type, counts }, row) => (
          <g key={type}>
            <text x={LEFT - 8} y={TOP + row * HEIGHT + 17} class="axis end">{plain(type).slice(0, 12)}</text>
            {counts.map((number, column) => (
              <g key={column} class={`heat h${Math.ceil((5 * number) / most)}`}>
                <rect x={LEFT + column * WIDTH + 1} y={TOP + row * HEIGHT + 1} width={WIDTH - 2} height={HEIGHT - 2} rx={4} />
                <text x={LEFT + (column + 0.5) * WIDTH} y={TOP + row * HEIGHT + 17} class="middle">{number}</text>
              </g>
            ))}
          </g>
        ))}
      </svg>
    </figure>
  );
}

function sentence({ type, counts }: Supply): string {
  const best = Math.max(...counts);
  return `${plain(type)}: at most ${best}, at ${NAMES[counts.indexOf(best)]!} sat`;
}
