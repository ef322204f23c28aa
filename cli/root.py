"""The root of the commands: what the parser does not understand is told in an envelope, too, where JSON is wanted."""

import contextlib
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from ..shared.errors import UsageError
from .output import error_envelope, line, shortened

_Misunderstood: Any = typer.BadParameter.__base__  # click's UsageError, which typer has no name for


class Root(TyperGroup):
    """Knows whether `--json` is among the words, also of those that cannot be parsed."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        as_json = "--json" in (args[: args.index("--")] if "--" in args else args)
        with _told(as_json):
            made = super().make_context(info_name, args, parent, **extra)
        made.meta[__name__] = as_json
        return made

    def invoke(self, ctx: Any) -> Any:
        with _told(ctx.meta[__name__]):
            return super().invoke(ctx)


@contextlib.contextmanager
def _told(as_json: bool) -> Iterator[None]:
    try:
        yield
    except _Misunderstood as error:
        error.message = shortened(error.message)
        if not as_json:
            raise
        words = error.ctx.command_path.split()[1:] if error.ctx else []
        print(line(error_envelope("-".join(words) or "ctmux", UsageError(error.format_message()))), flush=True)
        raise typer.Exit(UsageError.exit_code) from None
