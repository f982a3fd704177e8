"""Batches: many independent questions for one model, with a journal to resume from."""
