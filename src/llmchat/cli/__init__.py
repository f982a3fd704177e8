"""The command line: parses arguments, calls the code that does the work, sets the exit code."""

from llmchat.cli.boundary import main as main
