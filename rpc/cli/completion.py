"""Completion scripts for bash, zsh and fish, made from the table of methods."""

from __future__ import annotations

from collections.abc import Mapping

from rpc.cli.params import UsageError
from rpc.methods.method import Method
from rpc.methods.table import METHODS

OPTIONS = ("--datadir", "--url", "--token-file", "--socket", "--table", "--from", "--event", "--help")
COMMANDS = ("events", "methods", "help", "completion")

_BASH = """_musig_cli() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" method="" each
  COMPREPLY=()
  for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$each" in -*) ;; *) [[ -z "$method" ]] && method="$each" ;; esac
  done
  case "$method" in
{cases}
    "") COMPREPLY=($(compgen -W "{words}" -- "$word")) ;;
  esac
  [[ "${{COMPREPLY[0]-}}" == *= ]] && compopt -o nospace
}}
complete -o default -F _musig_cli musig-cli
"""
_ZSH = """#compdef musig-cli
_musig_cli() {{
  local method="" each
  for each in "${{words[@]:1:CURRENT-2}}"; do
    case "$each" in -*) ;; *) [[ -z "$method" ]] && method="$each" ;; esac
  done
  case "$method" in
{cases}
    "") compadd -- {words} ;;
  esac
}}
compdef _musig_cli musig-cli
"""


def completion(shell: str) -> str:
    """The script for that shell; raises UsageError for one that is not known."""
    match shell:
        case "bash":
            cases = [
                f'    {method.name}) COMPREPLY=($(compgen -W "{" ".join(_keys(method))}" -- "$word")) ;;'
                for method in METHODS.values()
            ]
            return _BASH.format(cases="\n".join(cases), words=" ".join((*METHODS, *COMMANDS, *OPTIONS)))
        case "zsh":
            cases = [
                f"    {method.name}) compadd -S '' -- {' '.join(_keys(method))} ;;"
                for method in METHODS.values()
                if _keys(method)
            ]
            return _ZSH.format(cases="\n".join(cases), words=" ".join((*METHODS, *COMMANDS, *OPTIONS)))
        case "fish":
            return _fish()
    raise UsageError("completion is there for bash, zsh and fish")


def _keys(method: Method) -> list[str]:
    return [f"{info.alias or name}=" for name, info in method.params.model_fields.items()]


def _fish() -> str:
    lines = ["complete -c musig-cli -f"]
    lines += [
        f"complete -c musig-cli -n __fish_use_subcommand -a {name} -d '{said}'" for name, said in _summaries().items()
    ]
    for method in METHODS.values():
        for key in _keys(method):
            lines.append(f"complete -c musig-cli -n '__fish_seen_subcommand_from {method.name}' -a {key}")
    lines += [f"complete -c musig-cli -l {option.removeprefix('--')}" for option in OPTIONS]
    return "\n".join(lines) + "\n"


def _summaries() -> Mapping[str, str]:
    said = {method.name: method.summary.replace("'", "") for method in METHODS.values()}
    return {
        **said,
        "events": "follow events",
        "methods": "list methods",
        "help": "explain one",
        "completion": "for a shell",
    }
