"""One module a command of ``python -m zoo``: ``add_arguments(parser)`` and ``run(args) -> exit code``."""
