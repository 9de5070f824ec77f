// How words and numbers are shown. What comes from others is text and nothing else, isolated in its direction.
import type { ComponentChildren } from "preact";

/** Control, format and unassigned characters written out: none may change how a name, or what stands beside it, is read. */
export function plain(text: unknown): string {
  return String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) =>
    "\u200c\u200d".includes(char) ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

/** Text that somebody else wrote. */
export function Said({ text }: { text: unknown }) {
  return <bdi class="said">{plain(text)}</bdi>;
}

/** Text of several lines that somebody else wrote: its line breaks and tabs stay, and a line beside it shows where it ends. */
export function Lines({ text }: { text: unknown }) {
  const lines = String(text).split("\n").map((line) => line.split("\t").map(plain).join("\t"));
  return <bdi class="said lines">{lines.join("\n")}</bdi>;
}

/** The two ends of a key or an id; the whole of it is there for pointers, for screen readers, and to be copied. */
export function Id({ id, href }: { id: string; href?: string }) {
  const shown = id.length > 20 ? `${id.slice(0, 10)}…${id.slice(-6)}` : id;
  const code = <bdi><code title={plain(id)}>{plain(shown)}</code></bdi>;
  return href === undefined ? code : <a href={href}>{code}</a>;
}

/** A whole id, to be compared or copied. */
export function Whole({ hex }: { hex: string }) {
  return <bdi><code class="whole">{plain(hex)}</code></bdi>;
}

/** Groups of three, by narrow spaces: a comma or a point is a decimal sign to half of the readers. */
function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** Satoshis. */
export function sats(amount: number): string {
  return `${grouped(String(amount))}\u00a0sat`;
}

const UNITS = { lotus: ["XPI", 6], bip340: ["BTC", 8] } as const;

/** The same amount in coins of the scheme's chain, to the last satoshi. */
export function coins(amount: number, scheme: "lotus" | "bip340"): string {
  const [unit, places] = UNITS[scheme];
  const digits = String(amount).padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return `${grouped(digits.slice(0, -places))}${fraction && `.${fraction}`}\u00a0${unit}`;
}

/** A stretch of time in its two largest units: `3 h 12 min`. */
export function span(ms: number): string {
  const units: [string, number][] = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1_000]];
  const parts: string[] = [];
  for (const [name, size] of units) {
    const count = Math.floor(ms / size);
    if (count > 0 || (name === "s" && parts.length === 0)) parts.push(`${count}\u00a0${name}`);
    ms -= count * size;
  }
  return parts.slice(0, 2).join(" ");
}

/** A moment, as this reader writes it. */
export function Moment({ at }: { at: number }) {
  const date = new Date(at);
  return <time dateTime={date.toISOString()}>{date.toLocaleString()}</time>;
}

/** A word with a colour; the colour says nothing that the word does not. */
export function Badge({ kind, children }: { kind: "good" | "bad" | "warn" | "plain"; children: ComponentChildren }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

/** `1 signer`, `2 signers`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
