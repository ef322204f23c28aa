"""The keeper's loop: it brings together tmux servers, programs of panes, supervisord and the logger."""

import os
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ...shared import place, tmux
from ...shared.config import Config
from ...shared.messages import Draft, Panes
from ...shared.outbox import Outbox
from ...shared.paths import Paths, ensure_private
from ...shared.service import Service
from .alive import is_alive
from .discovery import Discovery
from .kept import Kept
from .processes import Ended, Processes
from .server import Server
from .spools import remove
from .state import known
from .supervision import Session, Supervision
from .watched import watched

_LAST_MATCHES, _LAST_WORDS = 15.0, 1.0  # seconds that the end waits for the matcher, then for the logger
_REFUSED_AGAIN = 10.0  # seconds until a server that cannot be watched is tried again


class Keeper(Service):
    """Keeps every tmux server observed, and one watcher running for each session."""

    def __init__(self, paths: Paths, config: Config):
        super().__init__("keeper", paths)
        ensure_private(paths.state)
        self._bounded = place.settle(paths)
        self.service: Service = self
        self._keep_seconds = config.keeper.keep_seconds
        self.kept = Kept(self, paths.spool, config.keeper, self._tidy)
        self._servers: dict[str, Server] = {}
        self._refused: dict[str, str] = {}  # socket -> why it is not watched
        self._started: deque[Draft] = deque()
        self.outbox = Outbox(self, paths.control("logger"))
        self.processes = Processes(paths.spool, self.wake)
        self._notices = self._bind_notices()
        self._supervision = Supervision(self, paths, self._service_started)
        self.server.handle(Panes, self._panes)
        self.kept.load()
        self._revive()
        self._discovery = Discovery(self, config.keeper.sockets, self._found)
        for key in os.listdir(paths.spool):
            if key not in self._servers:
                self._drop_later(key)
        self.after(0.0, self.sessions_changed)

    def _bind_notices(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        if os.path.exists(self.paths.notices):
            os.unlink(self.paths.notices)
        made.bind(self.paths.notices)
        self.register(made, self._noticed)
        return made

    def _noticed(self) -> None:
        while True:
            try:
                self._notices.recv(64)
            except BlockingIOError:
                break
        self._supervision.look()

    def status(self) -> dict[str, Any]:
        servers = [
            {
                "server": server.key,
                "socket": server.info.socket,
                "version": server.info.version,
                "sessions": len(server.topology.sessions),
                "panes": len(server.topology.panes),
                "unobserved": sum(1 for pane in server.topology.panes.values() if pane.unobserved),
            }
            for server in self._servers.values()
        ]
        return {
            **super().status(),
            "servers": servers,
            "refused": {**self._discovery.refused, **self._refused},
            "unsent": len(self.outbox),
            "bounded": self._bounded,
        }

    def _panes(self, request: Panes, _reply: Any) -> dict[str, Any]:
        return watched(((server.info, server.topology) for server in self._servers.values()), request.after)

    # ---- tmux servers ----------------------------------------------------------------------------------------------

    def _found(self, info: tmux.ServerInfo) -> None:
        if info.key in self._servers or self._ending:
            return
        server = Server(self, info)
        try:
            server.begin()
        except tmux.ServerGone:
            server.close()
            return
        except tmux.TmuxError as error:
            server.close()
            print(f"tmux server {info.socket}: {error}", flush=True)
            self._refused[info.socket] = str(error)
            self.after(_REFUSED_AGAIN, lambda: self._ask_refused(info.socket))
            return
        self._refused.pop(info.socket, None)
        if not server.topology.lost:  # it may have ended just now
            self._servers[info.key] = server
        self.sessions_changed()

    def _ask_refused(self, socket: str) -> None:
        """Its owner may be gone by now, or the server itself."""
        self._refused.pop(socket, None)
        self._discovery.attempt(socket)

    def _revive(self) -> None:
        """Close the accounts of servers that ended while no keeper was running."""
        folder = f"{self.paths.state}/topology"
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            info = known(f"{folder}/{name}")
            if info is None:
                continue
            if not is_alive(info):
                server = self._servers[info.key] = Server(self, info)
                server.begin_lost()

    def lost(self, server: Server) -> None:
        """A tmux server is gone and reported."""
        self._servers.pop(server.key, None)
        self._drop_later(server.key)
        self.sessions_changed()

    def _drop_later(self, key: str) -> None:
        """Remove the spools of a server that is gone, when nobody can be reading them any more."""

        def drop() -> None:
            if key in self._servers:
                return
            info = known(f"{self.paths.state}/topology/{key}.json")
            if info and is_alive(info):  # its socket was removed, or it hangs: its panes are spooled, and it may come back
                self._drop_later(key)
            else:
                remove(f"{self.paths.spool}/{key}")

        self.after(self._keep_seconds, drop)

    def _tidy(self, key: str, session: str) -> None:
        """A spool was dropped. The folders of a server that is not known yet may be watched."""
        if key in self._servers:
            self._servers[key].tidy(session)

    def sessions_changed(self) -> None:
        self._supervision.want(
            {
                Session(server.key, int(session[1:]))
                for server in self._servers.values()
                for session in server.topology.sessions
            }
        )

    # ---- facts from the threads ------------------------------------------------------------------------------------

    def _service_started(self, draft: Draft) -> None:
        self._started.append(draft)
        self.wake()

    def _drain_wake(self) -> None:
        super()._drain_wake()
        facts = []
        while self.processes.facts:
            facts.append(self.processes.facts.popleft())
        for key, server in list(self._servers.items()):
            mine = [fact for fact in facts if isinstance(fact, Ended) or fact.server == key]
            if mine:
                server.facts(mine)
        while self._started:
            self.outbox.put([self._started.popleft()])

    # ---- the end ---------------------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """Give every tmux server back as it was, if it is the instance that ends and not only the keeper."""
        servers = list(self._servers.values())
        if not os.path.exists(self.paths.stopping):
            for server in servers:
                server.suspend()
            super().shutdown()
            return
        for server in servers:
            server.release()
        self._run_until(lambda: all(server.released for server in servers), _LAST_MATCHES)
        for server in servers:
            server.leave()
        self._run_until(lambda: not len(self.outbox), _LAST_WORDS)
        for key in os.listdir(self.paths.spool):
            remove(f"{self.paths.spool}/{key}")
        place.release(self.paths)
        super().shutdown()

    def _run_until(self, fact: Callable[[], bool], seconds: float) -> None:
        late = self.after(seconds, lambda: None)  # wakes the loop
        deadline = time.monotonic() + seconds
        while not fact() and time.monotonic() < deadline:
            self._run_once()
        late.cancel()
