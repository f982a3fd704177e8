"""What there is to read about llmchat: topics as data, laid out as text or as a manual page."""
