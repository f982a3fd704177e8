"""The command line: parses, calls, and ends with the right exit code."""

from llmchat.cli.boundary import main as main
