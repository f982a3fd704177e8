"""Many questions for one model, each in a conversation of its own."""
