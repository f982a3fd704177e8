"""The terminal front end: the REPL, `ask` and the other commands' output."""
