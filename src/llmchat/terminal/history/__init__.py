"""`llmchat history`: kept conversations, shown, exported, imported and erased."""
