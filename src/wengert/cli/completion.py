"""`wengert completion bash|zsh|fish`: a script for the shell, made from the parser."""

from __future__ import annotations

import argparse

from wengert.cli.failure import FINE
from wengert.cli.output import say


def completion_command(options: argparse.Namespace) -> int:
    """Print the script."""
    say(script(options.parser, options.shell))
    return FINE


def words(parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    """The commands, and the options of each."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return {
                name: sorted(
                    o for a in sub._actions for o in a.option_strings if o.startswith("--")
                )
                for name, sub in action.choices.items()
            }
    return {}


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """What `eval`, or the shell's start-up file, takes in."""
    known = words(parser)
    commands = " ".join(known)
    if shell == "fish":
        rows = ["complete -c wengert -f"]
        rows += [f"complete -c wengert -n __fish_use_subcommand -a {name}" for name in known]
        rows += [
            f"complete -c wengert -n '__fish_seen_subcommand_from {name}' -F -l {option[2:]}"
            for name, options in known.items()
            for option in options
        ]
        return "\n".join(rows)
    cases = "\n".join(f"    {name}) words='{' '.join(options)}' ;;" for name, options in known.items())  # fmt: skip
    body = f"""_wengert() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{commands}' -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}}
complete -o filenames -F _wengert wengert"""
    return f"autoload -U +X bashcompinit && bashcompinit\n{body}" if shell == "zsh" else body
