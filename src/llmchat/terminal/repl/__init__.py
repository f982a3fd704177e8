"""The interactive chat (REPL): a line becomes a slash command or a turn."""
