"""How each engine is asked to hold an answer to a schema or a pattern; pure."""
