"""`llmchat ask --batch`: reads one prompt per line, prints one JSON answer per line."""

from llmchat.terminal.batch.command import batch as batch
