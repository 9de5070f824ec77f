"""Writes what the TypeScript client knows of the API: `python -m rpc.schema.generate_typescript`.

Types of values, methods, events and errors, all from the OpenRPC document. A test holds the files to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rpc.schema.openrpc import changing, document
from rpc.schema.typescript import ALIASES, doc, interface, kind_of, members_of

FOLDER: Final = Path(__file__).parents[2] / "clients" / "typescript" / "src" / "generated"
_OF_SIGNING: Final = ("publicKeys", "requestId", "sessionId", "attempt")
_OF_SIGNING_TYPE: Final = """export interface OfSigning {
  /** The own keys concerned. */
  publicKeys: readonly PublicKey[];
  requestId: Hex32;
  sessionId: Hex32;
  attempt: number;
}"""
_HEAD: Final = "// Written by `python -m rpc.schema.generate_typescript` from the API's description; do not edit.\n\n"


def values(api: Mapping[str, Any]) -> str:
    """Every object that goes over the wire."""
    sent = {_params_name(method) for method in api["methods"]}
    schemas = sorted(api["components"]["schemas"].items())
    aliases = [f"{doc(said)}export type {name} = string;" for name, said in ALIASES.values()]
    return "\n\n".join([*aliases, *(interface(name, schema, params=name in sent) for name, schema in schemas)])


def methods(api: Mapping[str, Any]) -> str:
    """A class with one function for each method; those that need a WebSocket are left to `events`."""
    called = [method for method in api["methods"] if not method["x-websocket-only"]]
    repeatable, once = changing(api)
    lines = ['import type * as v from "./values.js";', 'import type { CallOptions } from "../options.js";', ""]
    lines += ["/** Params and result of every method, by its name. */", "export interface Calls {"]
    lines += [f"  {_key(method)}: [params: v.{_params_name(method)}, result: {_result(method)}];" for method in called]
    lines += ["}", "", "/** Those that change something and may be repeated with the same idempotencyKey. */"]
    lines += ["export const IDEMPOTENT: ReadonlySet<string> = new Set([", *_rows(repeatable), "]);", ""]
    lines += ["/** Those that change something and carry a secret, so they take no idempotencyKey. */"]
    lines += ["export const ONCE: ReadonlySet<string> = new Set([", *_rows(once), "]);", ""]
    lines += [
        "/** Every method of the API; what carries a call is the subclass's. */",
        "export abstract class Methods {",
    ]
    lines += ["  /** One call by the name of its method. */", "  abstract call<M extends keyof Calls>("]
    lines += ["    method: M, params: Calls[M][0], options?: CallOptions,", "  ): Promise<Calls[M][1]>;", ""]
    return "\n".join([*lines, "\n\n".join(_method(method) for method in called), "}"]) + "\n"


def _rows(names: list[str]) -> Iterator[str]:
    yield from (f'  "{name}",' for name in names)


def _method(method: Mapping[str, Any]) -> str:
    name = method["name"].rpartition(".")[2]
    needed = any(param["required"] for param in method["params"])
    given = f"params: v.{_params_name(method)}{'' if needed else ' = {}'}, options?: CallOptions"
    body = f'    return this.call("{method["name"]}", params, options);'
    return f"{doc(method['summary'], '  ')}  {name}({given}): Promise<{_result(method)}> {{\n{body}\n  }}"


def _key(method: Mapping[str, Any]) -> str:
    name = str(method["name"])
    return f'"{name}"' if "." in name else name


def _params_name(method: Mapping[str, Any]) -> str:
    return str(method["x-params"].rpartition("/")[2])


def _result(method: Mapping[str, Any]) -> str:
    return f"v.{kind_of(method['result']['schema'])}"


def events(api: Mapping[str, Any]) -> str:
    """The data of every event by its name."""
    rows = []
    for name, event in api["x-events"].items():
        schema = event["schema"]
        signing = set(_OF_SIGNING) <= set(schema["required"])
        own = {member: said for member, said in schema["properties"].items() if not (signing and member in _OF_SIGNING)}
        members = "\n".join(members_of({**schema, "properties": own}, params=False, indent="    "))
        kind = " & ".join(["OfSigning"] * signing + ([f"{{\n{members}\n  }}"] if members else []))
        rows.append(f'{doc(event["when"], "  ")}  "{name}": {kind or "object"};')
    body = ["/** What every event of a request or a session says of its place. */", _OF_SIGNING_TYPE, ""]
    body += ["/** The data of every event that has a seq. */", "export interface EventData {", *rows, "}"]
    names = [*api["components"]["schemas"], *(name for name, _ in ALIASES.values())]
    used = [name for name in sorted(names) if re.search(rf"(?<![\w\"]){name}\b(?!\")", "\n".join(rows + body))]
    return "\n".join([f'import type {{ {", ".join(used)} }} from "./values.js";', "", *body])


def errors(api: Mapping[str, Any]) -> str:
    """A class for each reason."""
    reasons = [reason for error in api["components"]["errors"].values() for reason in error["data"]["reason"]]
    classes = [f"export class {_class(reason)} extends CallFailed {{}}" for reason in reasons]
    rows = [f"  {reason}: {_class(reason)}," for reason in reasons]
    lines = ['import { CallFailed } from "../errors.js";', "", *classes, ""]
    lines += ["/** The class of each reason that the daemon gives. */", "export const ERRORS = {", *rows, "} as const;"]
    return "\n".join(
        [*lines, "", "/** What `CallFailed.reason` can be. */", "export type Reason = keyof typeof ERRORS;"]
    )


def _class(reason: str) -> str:
    name = "".join(word.capitalize() for word in reason.split("_"))
    return name if name.endswith("Error") else f"{name}Error"


WRITTEN: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "values.ts": values,
    "methods.ts": methods,
    "events.ts": events,
    "errors.ts": errors,
}


def files() -> dict[str, str]:
    """The text of every file, by its name."""
    api = document("")
    return {name: _HEAD + write(api).rstrip() + "\n" for name, write in WRITTEN.items()}


def main() -> None:
    """Writes the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
