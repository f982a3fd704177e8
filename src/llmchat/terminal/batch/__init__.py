"""`llmchat ask --batch`: reads one prompt per line, prints one JSON answer per line."""
