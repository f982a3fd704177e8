"""The pure middle of llmchat: conversations, generation, prompts, one turn. No I/O."""
