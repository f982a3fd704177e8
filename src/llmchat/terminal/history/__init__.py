"""`llmchat history`: saved conversations, shown, exported, imported and erased."""
