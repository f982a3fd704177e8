"""The slash commands, one module for each group. Help, completion and docs/commands.md list them in the order
of the imports below; see `registry`.
"""

# isort: off
from llmchat.terminal.repl.commands import program as program
from llmchat.terminal.repl.commands import conversation as conversation
from llmchat.terminal.repl.commands import reply as reply
from llmchat.terminal.repl.commands import branches as branches
from llmchat.terminal.repl.commands import model as model
from llmchat.terminal.repl.commands import context as context
from llmchat.terminal.repl.commands import files as files
# isort: on

from llmchat.terminal.repl.registry import COMMANDS, complete_line, is_command, run_command

__all__ = ["COMMANDS", "complete_line", "is_command", "run_command"]
