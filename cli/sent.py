"""Telling the matcher what is about to be typed, so that its echo fires nothing where no line editor hides it."""

import contextlib
import os
import re
from collections.abc import Iterable

from ..shared import paths, supervised
from ..shared.errors import CtmuxError, NoDaemon
from .output import say
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
        if not supervised.running(where) or not (text.strip() or os.environ.get("CTMUX_DEPTH")):
            return
        import zmq

        from ..shared.messages import Acted, Request, Sent
        from ..shared.rpc import Client
        from ..shared.tmux import identify

        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        server, depth = identify(socket()).key, os.environ.get("CTMUX_DEPTH", "")
        asked: list[tuple[str, Request]] = [("matcher", Sent(server, pane, text[:_TEXT_MAX]))]
        if depth.isdigit():  # typed by an action: what comes of it is its doing
            asked.insert(0, ("runner", Acted(server, pane, int(depth))))
        for role, request in asked:
            client = Client(context, where.control(role))
            try:
                client.ask(request, _SECONDS)
            except NoDaemon:
                if role == "matcher" and text.strip():
                    say(f"ctmux: the matcher does not answer: what is typed into {pane} now may fire as if it was output")
            finally:
                client.close()
