"""Text-generation-inference endpoints."""
