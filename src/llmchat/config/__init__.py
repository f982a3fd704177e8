"""Configuration: settings and where each came from, config.toml, .env, keys, folders."""
