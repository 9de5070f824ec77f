// The token: in memory, and for as long as the tab lives in its session storage; never in an address that is kept.
const NAME = "musigd-token";

/** The token that came with the address, which is cleaned of it at once; empty where none did. */
export function givenToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  if (given) history.replaceState(null, "", location.pathname + location.search);
  return given;
}

/** The one that came with the address, or else that of this tab. */
export function knownToken(): string {
  return givenToken() || (sessionStorage.getItem(NAME) ?? "");
}

export function keepToken(token: string): void {
  sessionStorage.setItem(NAME, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(NAME);
}
