"""`llmchat completion`: prints or installs the completion script of a shell."""

from __future__ import annotations

from typing import Annotated

import typer

from llmchat.cli.options import standard_streams
from llmchat.errors import UsageError

SCRIPTS = {"bash": "llmchat.bash", "zsh": "_llmchat", "fish": "llmchat.fish", "powershell": "llmchat.ps1"}
"""The file for each shell, in the folder `shells`."""


def completion(
    shell: Annotated[
        str | None,
        typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell. Default: the one you are in."),
    ] = None,
    *,
    install: Annotated[bool, typer.Option("--install", help="Install the script, and print where.")] = False,
) -> None:
    """Print or install the completion script of a shell."""
    from llmchat.cli.completion.install import current_shell, install_script

    streams = standard_streams()
    chosen = shell or current_shell(streams.environ)
    if chosen not in SCRIPTS:
        raise UsageError(f"there is no completion for {chosen}", hint=f"it takes {', '.join(SCRIPTS)}")
    if install:
        streams.write(install_script(chosen, script_for(chosen), streams.environ))
    else:
        streams.write(script_for(chosen))


def script_for(shell: str) -> str:
    """The text of the shell's script."""
    from importlib import resources

    return resources.files("llmchat.cli.completion").joinpath("shells", SCRIPTS[shell]).read_text("utf-8")
