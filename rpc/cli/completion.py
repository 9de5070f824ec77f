"""Completion scripts for bash, zsh and fish, made from the table of methods.

After an option its value is completed, after a method its parameters, after `key=` the values that the method knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from rpc.cli.api import EVENTS, METHODS, MethodEntry
from rpc.cli.help import COMMANDS
from rpc.cli.params import UsageError

FILES = ("--datadir", "--token-file")  # they take a path
TAKING = (*FILES, "--url", "--from", "--event", "--request", "--key", "--name")
OPTIONS = (*TAKING, "--socket", "--table", "--json", "--yes", "--help", "--version")
SHELLS = ("bash", "zsh", "fish")

_BASH = """_musig_cli() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" method="" skip="" each key
  if [[ "$word" == "=" ]]; then before="$before="; word=""; key="${{before%=}}"
  elif [[ "$before" == "=" ]]; then key="${{COMP_WORDS[COMP_CWORD-2]}}"; fi
  COMPREPLY=()
  for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$each" in
      {taking}) skip=1 ;;
      -*|=) ;;
      *) [[ -z "$method" ]] && method="$each" ;;
    esac
  done
  case "$before" in
    --event) COMPREPLY=($(compgen -W "{events}" -- "$word")); return ;;
    {files}) COMPREPLY=($(compgen -f -- "$word")); return ;;
    {others}) return ;;
  esac
  if [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "{options}" -- "$word")); return; fi
  case "$method:$key" in
{values}
  esac
  [[ -n "$key" ]] && return
  case "$method" in
{cases}
    help) COMPREPLY=($(compgen -W "{words}" -- "$word")) ;;
    completion) COMPREPLY=($(compgen -W "{shells}" -- "$word")) ;;
    "") COMPREPLY=($(compgen -W "{words}" -- "$word")) ;;
  esac
  [[ "${{COMPREPLY[0]-}}" == *= ]] && compopt -o nospace
}}
complete -o default -F _musig_cli musig-cli
"""
_ZSH = """#compdef musig-cli
_musig_cli() {{
  local method="" skip="" each
  for each in "${{words[@]:1:CURRENT-2}}"; do
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$each" in
      {taking}) skip=1 ;;
      -*) ;;
      *) [[ -z "$method" ]] && method="$each" ;;
    esac
  done
  case "${{words[CURRENT-1]}}" in
    --event) compadd -- {events}; return ;;
    {files}) _files; return ;;
    {others}) return ;;
  esac
  if [[ "${{words[CURRENT]}}" == -* ]]; then compadd -- {options}; return; fi
  case "$method:${{words[CURRENT]%%=*}}" in
{values}
  esac
  case "$method" in
{cases}
    help) compadd -- {words} ;;
    completion) compadd -- {shells} ;;
    "") compadd -- {words} ;;
  esac
}}
compdef _musig_cli musig-cli
"""


def completion(shell: str) -> str:
    """The script for that shell; raises UsageError for one that is not known."""
    match shell:
        case "bash":
            values = '    {method}:{key}) COMPREPLY=($(compgen -W "{words}" -- "$word")); return ;;'
            case = '    {method}) COMPREPLY=($(compgen -W "{keys}" -- "$word")) ;;'
            return _filled(_BASH, values, case)
        case "zsh":
            values = "    {method}:{key}) compset -P '*=' && compadd -- {words} && return ;;"
            return _filled(_ZSH, values, "    {method}) compadd -S '' -- {keys} ;;")
        case "fish":
            return "\n".join(_fish()) + "\n"
    raise UsageError("choose bash, zsh or fish")


def _filled(script: str, values: str, case: str) -> str:
    return script.format(
        taking="|".join(TAKING),
        files="|".join(FILES),
        others="|".join(option for option in TAKING if option not in (*FILES, "--event")),
        events=" ".join(EVENTS),
        options=" ".join(OPTIONS),
        words=" ".join((*METHODS, *COMMANDS)),
        shells=" ".join(SHELLS),
        values="\n".join(
            values.format(method=method.name, key=key, words=" ".join(param.values))
            for method in METHODS.values()
            for key, param in method.params.items()
            if param.values
        ),
        cases="\n".join(
            case.format(method=method.name, keys=" ".join(_keys(method)))
            for method in METHODS.values()
            if method.params
        ),
    )


def _keys(method: MethodEntry) -> list[str]:
    return [f"{name}=" for name in method.params]


def _fish() -> Iterator[str]:
    said = {method.name: method.summary.replace("'", "") for method in METHODS.values()} | COMMANDS
    yield "complete -c musig-cli -f"
    for name, summary in said.items():
        yield f"complete -c musig-cli -n __fish_use_subcommand -a {name} -d '{summary}'"
    yield f"complete -c musig-cli -n '__fish_seen_subcommand_from help' -a '{' '.join(said)}'"
    yield f"complete -c musig-cli -n '__fish_seen_subcommand_from completion' -a '{' '.join(SHELLS)}'"
    for method in METHODS.values():
        for name, param in method.params.items():
            words = " ".join([f"{name}=", *(f"{name}={value}" for value in param.values)])
            yield f"complete -c musig-cli -n '__fish_seen_subcommand_from {method.name}' -a '{words}'"
    for option in OPTIONS:
        takes = f" -x -a '{' '.join(EVENTS)}'" if option == "--event" else " -r -F" if option in FILES else ""
        takes = " -x" if option in TAKING and not takes else takes
        yield f"complete -c musig-cli -l {option.removeprefix('--')}{takes}"
