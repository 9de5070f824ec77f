// The address is the only state of where one is: every view, and every filter in it, survives a reload.
import { useEffect, useState } from "preact/hooks";

export type View = "market" | "requests" | "sessions" | "node";

export interface Place {
  view: View;
  /** `new`, a request id or a session id; empty for the list. */
  item: string;
  query: URLSearchParams;
}

const VIEWS: readonly View[] = ["market", "requests", "sessions", "node"];
const MOVED = "musigd:moved";

export function placeOf({ pathname, search }: { pathname: string; search: string }): Place {
  const [, view = "", item = ""] = pathname.split("/");
  return { view: VIEWS.find((each) => each === view) ?? "market", item, query: new URLSearchParams(search) };
}

/** Shows another place; `replace` leaves no step to go back to. */
export function go(path: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  dispatchEvent(new Event(MOVED));
}

/** The same view with other values in its query; empty ones are left out. */
export function refine(changes: Record<string, string | undefined>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  go(location.pathname + (text && `?${text}`), true);
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location));
  useEffect(() => {
    const look = (): void => setPlace(placeOf(location));
    const follow = (event: MouseEvent): void => followLink(event);
    addEventListener("popstate", look);
    addEventListener(MOVED, look);
    addEventListener("click", follow);
    return () => {
      removeEventListener("popstate", look);
      removeEventListener(MOVED, look);
      removeEventListener("click", follow);
    };
  }, []);
  return place;
}

/** Plain clicks on links of the page change the view without loading it anew. */
function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.("a");
  if (!link || link.origin !== location.origin || link.hasAttribute("download") || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
