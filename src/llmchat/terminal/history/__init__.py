"""`llmchat history`: lists, searches, shows, exports, imports and erases saved conversations."""
