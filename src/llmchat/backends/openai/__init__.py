"""The API of OpenAI-compatible servers."""
