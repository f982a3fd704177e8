"""The core, without I/O: conversations, prompts, settings, the token budget, one turn and its attempts."""
