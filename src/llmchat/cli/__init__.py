"""The command line: parses arguments, calls the code that does the work, sets the exit code."""
