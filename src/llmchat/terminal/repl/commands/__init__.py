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
# isort: on

from llmchat.terminal.repl.registry import COMMANDS as COMMANDS
from llmchat.terminal.repl.registry import complete_line as complete_line
from llmchat.terminal.repl.registry import is_command as is_command
from llmchat.terminal.repl.registry import run_command as run_command
