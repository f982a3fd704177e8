"""What the person configured: settings, where each came from, keys and folders. Talks to no server."""
