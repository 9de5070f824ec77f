"""The help of `musig-cli`: about itself, its methods and their parameters."""

from __future__ import annotations

from rpc.cli.api import EVENTS, METHODS, MethodEntry

COMMANDS = {
    "review": "show what a request signs, and what the policy says of it: review ID",
    "sign": "show it, ask, sign or approve as the policy wants, wait: sign --request ID",
    "pair": "a link and QR code for who is to sign with you: pair [PUBLICKEY] [--name NICKNAME]",
    "events": "follow events",
    "methods": "list methods",
    "help": "explain one",
    "completion": "for a shell",
}
DAEMON_COMMANDS = frozenset(
    {"run", "demo", "config", "stop", "reload", "doctor", "backup", "restore", "policy", "verify-evidence", "audit"}
)  # of musigd, mistaken for methods
USAGE = """musig-cli [options] METHOD [key=value ...]
       musig-cli review ID | sign --request ID [--key PUBLICKEY] [--yes]
       musig-cli pair [PUBLICKEY] [--name NICKNAME]
       musig-cli events | methods | help [METHOD] | completion SHELL"""
PARAMETERS = """parameters: key=value (text; numbers, true and false, words,with,commas, dates, as the method wants)
            key:=JSON   key=@FILE (the text of a file)   key=- (from standard input)"""
EXIT_CODES = """exit codes: 0 done, 1 refused by the daemon (its error as JSON on standard output, a sentence on
            standard error) or by you, 2 usage or a failure on this side, 3 no daemon answers, 4 not authorised"""
MORE = "musig-cli methods lists the methods; musig-cli help METHOD explains one; musig-cli help events tells of events"


def methods_help() -> str:
    """All methods with their summaries."""
    width = max(map(len, METHODS))
    lines: list[str] = []
    section = ""
    for method in METHODS.values():
        if method.section != section:
            section = method.section
            lines += ["", section]
        lines.append(f"  {method.name:<{width}}  {method.summary}")
    return "\n".join(lines).lstrip() + "\n"


def method_help(method: MethodEntry) -> str:
    """One method: what it does, its parameters with types, ranges and defaults, an example."""
    told = method.help or ["it takes no parameters"]
    lines = [f"{method.name}: {method.summary}", f"needs scope {method.scope}", "", *told]
    return "\n".join([*lines, "", f"example: {method.example}"]) + "\n"


def events_help() -> str:
    """How to follow events, and the list of events."""
    width = max(map(len, EVENTS))
    return "\n".join(
        [
            "musig-cli events [--from SEQ] [--event NAME]...: follows the event stream, one line each (programs: JSON)",
            "",
            "  --from SEQ    from here on; 0 is the oldest kept; without it, from now",
            "  --event NAME  only this one, or such as session:*; may be repeated",
            "",
            *(f"  {name:<{width}}  {meaning}" for name, meaning in EVENTS.items()),
            "",
            "example: musig-cli events --from 0 --event signing-request:received",
            "",
        ]
    )
