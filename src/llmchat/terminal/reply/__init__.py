"""Shows a reply: live Markdown on a terminal, plain text in a pipe, or JSON."""
