import { CallFailed, MusigdError } from "./errors.js";
import { ERRORS } from "./generated/errors.js";

const STRANGER = "the server at that address does not speak JSON-RPC; check the URL";

/** The result in a response object; its error is thrown as the class of its reason. */
export function resultOf(text: string): unknown {
  const answer = parsed(text);
  if (!isRecord(answer)) throw new MusigdError(STRANGER);
  if (isRecord(answer["error"])) throw errorOf(answer["error"]);
  if (!("result" in answer)) throw new MusigdError(STRANGER);
  return answer["result"];
}

/** The exception for an error object. */
export function errorOf(error: Record<string, unknown>): CallFailed {
  const data = isRecord(error["data"]) ? error["data"] : {};
  const classes: Readonly<Record<string, typeof CallFailed>> = ERRORS;
  const reason = String(data["reason"]);
  const Kind = Object.hasOwn(classes, reason) ? classes[reason]! : CallFailed;
  return new Kind(Number(error["code"] ?? 0), String(error["message"] ?? ""), data);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MusigdError(STRANGER);
  }
}
