// Tables that a phone shows as cards, and that show a page of a long list at a time.
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  name: string;
  cell: (row: Row) => ComponentChildren;
  /** The value of `sort` that orders by this column; absent: it does not. */
  sort?: string;
  /** What names the row. */
  heads?: boolean;
}

export interface Order {
  by: string;
  descending: boolean;
}

interface TableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  order?: Order;
  onOrder?: (order: Order) => void;
  empty?: string;
}

export function Table<Row>({ caption, columns, rows, keyOf, order, onOrder, empty = "None." }: TableProps<Row>) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>{columns.map((column) => <Head key={column.name} column={column} order={order} onOrder={onOrder} />)}</tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column) => column.heads
              ? <th key={column.name} scope="row" data-name={column.name}>{column.cell(row)}</th>
              : <td key={column.name} data-name={column.name}>{column.cell(row)}</td>)}
          </tr>
        ))}
        {rows.length === 0 && <tr><td colSpan={columns.length} class="empty">{empty}</td></tr>}
      </tbody>
    </table>
  );
}

function Head<Row>({ column, order, onOrder }: { column: Column<Row>; order: Order | undefined; onOrder: ((order: Order) => void) | undefined }) {
  const { name, sort } = column;
  if (!sort || !order || !onOrder) return <th scope="col">{name}</th>;
  const current = order.by === sort;
  const direction = order.descending ? "descending" : "ascending";
  return (
    <th scope="col" aria-sort={current ? direction : "none"}>
      <button type="button" class="sort" onClick={() => onOrder({ by: sort, descending: current && !order.descending })}>
        {name}<span aria-hidden="true">{current ? (order.descending ? " ▾" : " ▴") : ""}</span>
      </button>
    </th>
  );
}

export const PAGE = 50;

/** The buttons between the pages of a list; nothing when there is one page. */
export function Pages({ page, total, turn }: { page: number; total: number; turn: (page: number) => void }) {
  const last = Math.max(1, Math.ceil(total / PAGE));
  if (last === 1) return null;
  const from = (page - 1) * PAGE + 1;
  return (
    <nav class="pages" aria-label="Pages">
      <button type="button" disabled={page <= 1} onClick={() => turn(page - 1)}>Previous</button>
      <span role="status">{from} to {Math.min(total, page * PAGE)} of {total}</span>
      <button type="button" disabled={page >= last} onClick={() => turn(page + 1)}>Next</button>
    </nav>
  );
}

/** The rows of a page, and which page that is; one past the end is the last. */
export function paged<Row>(rows: readonly Row[], wanted: string | null): { page: number; shown: readonly Row[] } {
  const last = Math.max(1, Math.ceil(rows.length / PAGE));
  const page = Math.min(last, Math.max(1, Number(wanted) || 1));
  return { page, shown: rows.slice((page - 1) * PAGE, page * PAGE) };
}
