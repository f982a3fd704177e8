"""The terminal as a device: streams, modes, signals, queries, clipboard, pager."""
