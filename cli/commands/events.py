"""placeholder while it is being written"""

import typer


def register(root: typer.Typer) -> None:
    """Nothing yet."""
