"""A reply on its way to the screen."""
