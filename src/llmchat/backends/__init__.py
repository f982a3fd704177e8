"""The backends: each takes options in and gives Tokens and one Finish out."""
