// What a request says of itself, read with care: its metadata are whatever its creator wrote.
import type { Review, SigningRequest } from "musigd-client";

export const VERDICTS = {
  checked: ["good", "checked"],
  blind: ["warn", "blind"],
  mismatch: ["bad", "does not match"],
} as const;

/** What the daemon found; without a finding nobody knows what is signed. */
export function reviewOf(request: SigningRequest): Review {
  return request.review ?? { status: "blind" };
}

export function isMine(request: SigningRequest): boolean {
  return request.signers.some((signer) => signer.own && signer.publicKey === request.creator);
}

/** Own keys that the request still waits for. */
export function waitingFor(request: SigningRequest): string[] {
  if (request.state !== "open" && request.state !== "failed") return [];
  return request.signers.filter((signer) => signer.own && !signer.joined && !signer.declined).map((signer) => signer.publicKey);
}

export function textOf(request: SigningRequest, name: string): string {
  const value = request.metadata[name];
  return typeof value === "string" ? value : "";
}

export function amountOf(request: SigningRequest): number | undefined {
  const value = request.metadata["amount"];
  return typeof value === "number" ? value : undefined;
}

export const ENDED: ReadonlySet<string> = new Set(["complete", "declined", "cancelled", "expired"]);
