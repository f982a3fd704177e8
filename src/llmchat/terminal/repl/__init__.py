"""The chat at a terminal: a line becomes a command or a turn."""
