"""`ctmux shell-init`: the snippet with which a shell tells its prompts, commands and directory."""

import importlib.resources
from typing import Literal

import typer

from ..output import JSON, Result, command

SHELL = typer.Argument(..., metavar="SHELL", help="bash (4.4 or newer), zsh, or fish (4.0 and newer need nothing).")


def register(root: typer.Typer) -> None:
    epilog = """Example: ctmux shell-init bash; in ~/.bashrc, last: [ -z "$TMUX" ] || eval "$(ctmux shell-init bash)\""""
    root.command("shell-init", epilog=epilog)(shell_init)


@command
def shell_init(shell: Literal["bash", "zsh", "fish"] = SHELL, as_json: bool = JSON) -> Result:
    """Print a snippet for a shell's rc file.

    With it prompts and commands are known as such (OSC 133, OSC 7): they fire nothing, and their ends are events."""
    text = importlib.resources.files("ctmux").joinpath(f"cli/shell/ctmux.{shell}").read_text()
    return Result(text.rstrip("\n"), {"shell": shell, "snippet": text})
