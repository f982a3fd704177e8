"""What every HTTP backend shares; does not know an API."""
