"""`llmchat ask --batch`: lines of prompts become lines of answers."""

from llmchat.terminal.batch.command import batch as batch
