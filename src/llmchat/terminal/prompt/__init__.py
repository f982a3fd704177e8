"""The prompt: line editor, completion, key bindings, history. Uses prompt-toolkit."""
