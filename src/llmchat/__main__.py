"""The entry point of `llmchat` and `python -m llmchat`. Imports nothing before Ctrl-C is handled."""

from llmchat.signals import leave_at_once


def main() -> None:
    """Runs the command line. A signal during its imports ends the process without a traceback."""
    leave_at_once()
    from llmchat.cli.boundary import main as run

    run()


if __name__ == "__main__":
    main()
