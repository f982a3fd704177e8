"""The way in: `llmchat`, and `python -m llmchat`. Must import nothing before Ctrl-C is quiet."""

from llmchat.signals import leave_at_once


def main() -> None:
    """Runs the command line. A signal while Python still imports it ends the process without a traceback."""
    leave_at_once()
    from llmchat.cli import main as run

    run()


if __name__ == "__main__":
    main()
