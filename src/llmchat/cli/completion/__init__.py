"""Completion for bash, zsh, fish and PowerShell.

Our own, as it is safer than Typer's, which reads titles as markup, gives bash $(...) unquoted and has zsh
evaluate its answer; tests/cli/completion has the cases.
"""
