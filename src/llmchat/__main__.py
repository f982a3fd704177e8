"""The way in: `llmchat`, and `python -m llmchat`. Must import nothing before Ctrl-C is quiet."""

import signal


def main() -> None:
    """Runs the command line. Ctrl-C while Python still imports it ends the process without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from llmchat.cli import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    main()
