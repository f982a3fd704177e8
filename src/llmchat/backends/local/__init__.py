"""The embedded engine: runs a model file on this machine, by llama.cpp in a child process."""
