"""Completion for bash, zsh, fish and PowerShell."""
