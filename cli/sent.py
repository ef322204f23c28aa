"""Telling the matcher what is about to be typed, so that its echo fires nothing where no line editor hides it."""

import contextlib
import re
from collections.abc import Iterable

from ..shared import paths, supervised
from ..shared.errors import CtmuxError
from .server import socket

_SECONDS = 0.3  # a matcher that runs answers in 2 ms; the keys do not wait for one that does not
_TEXT_MAX = 65536  # characters: what a matcher looks for
# Names of keys: tmux(1), "KEY BINDINGS". What tmux does not know as a name is text.
_NAME = re.compile(
    r"(?:[CMS]-)+\S+|\^.|KP\S+|F\d\d?|Up|Down|Left|Right|BSpace|BTab|DC|Delete|End|Escape|Home|IC|Insert|Tab"
    r"|NPage|PageDown|PgDn|PPage|PageUp|PgUp",
    re.IGNORECASE,
)


def typed(keys: Iterable[str], literally: bool) -> str:
    """The text of keys as tmux's send-keys takes them; a line for each Enter, and for what other keys part."""
    if literally:
        return "".join(keys)
    text = ""
    for key in keys:
        if key.lower() == "space":
            text += " "
        else:
            text += "\n" if key.lower() == "enter" or _NAME.fullmatch(key) else key
    return text


def tell(pane: str, text: str) -> None:
    """Tell it, if there is a matcher. What goes wrong here costs no more than an echo that is seen."""
    with contextlib.suppress(CtmuxError, OSError):
        where = paths.resolve()
        if not text.strip() or not supervised.running(where):
            return
        import zmq

        from ..shared.messages import Sent
        from ..shared.rpc import Client
        from ..shared.tmux import identify

        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        matcher = Client(context, where.control("matcher"))
        try:
            matcher.ask(Sent(identify(socket()).key, pane, text[:_TEXT_MAX]), _SECONDS)
        finally:
            matcher.close()
