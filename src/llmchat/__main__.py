"""`python -m llmchat` is `llmchat`."""

from llmchat.cli import main

main()
