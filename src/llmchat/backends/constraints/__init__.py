"""How each server is asked to constrain an answer to a schema or a pattern. Pure."""
