"""Intended actions in their turn: each is done, and how it ended is reported."""

import os
import time
from collections.abc import Callable
from typing import Any

from ...shared.actions import AT_LEAST_ONCE, ON_PANE, Action
from ...shared.codec import pack
from ...shared.config import RunnerConfig
from ...shared.errors import CtmuxError, NoTarget, Refused
from ...shared.messages import Draft, Sent, Subscribe, Unsubscribe
from ...shared.policy import Policy, check, pane_allowed
from ...shared.service import Service
from . import drafts, values
from .ask import Answer, ask
from .book import Book, Intent
from .child import Child, Result, unstarted
from .kin import RUNNER
from .look import Look, clients, look
from .plan import Cause, Plan, make, notifies_desktop, pane_of
from .queue import Queue, Waiting

_ASK = 10.0  # seconds in which the matcher must have done what an action asks of it
_CLIENTS_MOST = 20
_TELL = 0.3  # seconds; the keys do not wait for a matcher that does not answer
_VALUE_MOST = 256 << 10  # bytes: a frame has to hold it, or nothing behind it would ever reach the journal
_TYPED_MOST = 65536  # characters: what a matcher looks for

_STOPPED = "the runner was stopped"
_DONE = Result(0, None, 0.0, b"", 0, None)

_SPARE = 5.0  # seconds, to begin, too; a webhook that keeps its own deadline says more of it than we could

Report = Callable[[Draft, Intent], None]


class Works:
    """`report` takes the end of an action; `starts` what is told before that."""

    def __init__(
        self, service: Service, config: RunnerConfig, book: Book, policy: Callable[[], Policy], token: str, log: str,
        starts: Callable[[list[Draft]], None], report: Report,
    ):  # fmt: skip
        self._service, self._config, self._book, self._policy = service, config, book, policy
        self._token, self._log, self._starts, self._report = token, log, starts, report
        self.queue = Queue(config.together, book.running)
        self._children: dict[str, Child | None] = {}
        self.stopping = False

    @property
    def running(self) -> list[str]:
        return list(self._children)

    def add(self, intent: Intent) -> None:
        """Its intent is in the log."""
        if self.stopping:
            self._drop(intent, _STOPPED)
            return
        self.queue.add(Waiting(intent, intent.action.concurrency or self._config.concurrency, time.monotonic()))
        self._next()

    def cancel(self, id: str) -> None:
        """Raises NoTarget."""
        waiting = self.queue.take(lambda intent: intent.id == id)
        for one in waiting:
            self._drop(one.intent, "cancelled before it was started")
        child = self._children.get(id)
        if child:
            child.end("cancelled")
        elif not waiting:
            raise NoTarget(f"no action {id!r} runs or waits; see: ctmux action list")

    def stop(self) -> None:
        """End what runs, and start nothing more."""
        self.stopping = True
        for one in self.queue.take(lambda _intent: True):
            self._drop(one.intent, _STOPPED)
        for child in self._children.values():
            if child:
                child.end(_STOPPED)

    def kill(self) -> None:
        """End at once what still runs."""
        for child in self._children.values():
            if child:
                child.kill()

    def _drop(self, intent: Intent, reason: str) -> None:
        self._book.begun(intent.subscription)
        self._interrupted(intent, reason)

    def _interrupted(self, intent: Intent, reason: str) -> None:
        """What is to run at least once is taken up again by the next runner."""
        again = reason == _STOPPED and intent.action.deliver == AT_LEAST_ONCE
        self._report(drafts.interrupted(intent, reason, again), intent)

    def _next(self) -> None:
        while not self.stopping and (one := self.queue.next()):
            self._book.begun(one.intent.subscription)
            self._children[one.intent.id] = None
            try:
                self._begin(one.intent, one.intent.action, time.monotonic() - one.since)
            except CtmuxError as error:
                self._end(one.intent, unstarted(str(error)))

    def _begin(self, intent: Intent, action: Action, waited: float) -> None:
        oldest = action.max_age or self._config.max_age
        if action.deliver != AT_LEAST_ONCE and waited > oldest:
            raise Refused(f"stale: it waited {waited:.0f} s for its turn, behind others of its subscription")
        policy = self._policy()
        check(policy, action)
        if action.do == "publish":
            value = self._values(intent).fill_all(action.data)
            if len(pack(value)) > _VALUE_MOST:
                raise Refused(
                    f"with its placeholders filled it has more than {_VALUE_MOST >> 10} KiB, too much for an event"
                )
            self._starts([drafts.published(intent, value)])
            self._end(intent, _DONE)
        elif action.do == "arm":
            self._ask(intent, self._request(intent, action.subscription or {}))
        elif action.do == "remove":
            self._ask(intent, Unsubscribe(action.target or ""))
        elif action.do in ON_PANE and (action.do == "signal" or policy.type_into != ["*"]):
            self._look(intent, action, policy)
        elif action.do == "notify" and not notifies_desktop(dict(os.environ)):
            self._notify(intent, action, policy)
        else:
            self._run(intent, action, policy)

    # ---- processes -------------------------------------------------------------------------------------------------

    def _look(self, intent: Intent, action: Action, policy: Policy) -> None:
        """See what the pane is called, and what runs in it, first."""
        assert intent.event
        pane = pane_of(action, intent.event)

        def found(shown: Look | str) -> None:
            try:
                if isinstance(shown, str):
                    raise NoTarget(shown)
                if not pane_allowed(policy, [pane, *shown.names]):
                    raise Refused(f"the policy does not allow to act on {pane}; see: ctmux action policy")
                if action.do == "signal" and not shown.group:
                    raise NoTarget(f"the program of {pane} has ended: there is nothing to signal")
                self._run(intent, action, policy, shown.group)
            except CtmuxError as error:
                self._end(intent, unstarted(str(error)))

        look(self._service, self._cause(intent).socket, pane, found)

    def _notify(self, intent: Intent, action: Action, policy: Policy) -> None:
        """In the status lines of who is attached."""
        socket = self._cause(intent).socket
        if socket is None:
            raise Refused("nobody can be notified: no notify-send with a session bus, and no tmux server in the event")

        def found(names: list[str] | str) -> None:
            try:
                if isinstance(names, str):
                    raise Refused(names)
                self._run(intent, action, policy, clients=tuple(names[:_CLIENTS_MOST]))
            except CtmuxError as error:
                self._end(intent, unstarted(str(error)))

        clients(self._service, socket, found)

    def _cause(self, intent: Intent) -> Cause:
        assert intent.event
        server = intent.action.server or intent.event.server or ""
        return Cause(
            intent.event, intent.id, intent.attempt, intent.depth, intent.name, self._book.sockets.get(server)
        )  # fmt: skip

    def plan(self, intent: Intent, policy: Policy, group: int | None = None, clients: tuple[str, ...] = ()) -> Plan:
        """What would run. Raises Refused."""
        action = intent.action
        action = action._replace(timeout=action.timeout or self._config.timeout)
        environ = {**os.environ, "CTMUX_INSTANCE": self._service.paths.instance}
        made = make(action, self._cause(intent), environ, policy, group, clients)
        return made._replace(env={**made.env, RUNNER: self._token})

    def _run(
        self, intent: Intent, action: Action, policy: Policy, group: int | None = None, clients: tuple[str, ...] = ()
    ) -> None:  # fmt: skip
        made = self.plan(intent, policy, group, clients)
        self._book.begins(intent)
        if made.typed is None:
            self._spawn(intent, action, made)
        else:
            assert intent.event
            sent = Sent(action.server or intent.event.server or "", str(made.pane), made.typed[:_TYPED_MOST])
            ask(self._service, "matcher", sent, _TELL, lambda _answer: self._spawn(intent, action, made))

    def _spawn(self, intent: Intent, action: Action, made: Plan) -> None:
        config = self._config
        keep = config.output_bytes if action.output is None else action.output
        if self.stopping:
            self._end(intent, unstarted(_STOPPED))
            return
        try:
            child = Child(
                self._service, made, _patience(action, config), action.grace or config.grace, keep,
                lambda result: self._end(intent, result, keep),
            )  # fmt: skip
        except (OSError, ValueError) as error:
            self._end(intent, unstarted(f"it cannot be started: {error}"))
            return
        self._children[intent.id] = child
        self._starts([drafts.started(intent, child.pid, made.argv)])

    def _end(self, intent: Intent, result: Result, keep: int = 0, more: dict[str, Any] | None = None) -> None:
        self._book.ended(intent, result.exit_code == 0, result.output.decode(errors="replace").strip(), time.time())
        self._children.pop(intent.id, None)
        self.queue.ended(intent.subscription)
        if result.reason == _STOPPED:
            self._interrupted(intent, _STOPPED)
        else:
            self._report(drafts.finished(intent, {**result.data(keep), **(more or {})}), intent)
        self._service.after(0.0, self._next)  # not within itself: many may be refused one after the other

    # ---- requests --------------------------------------------------------------------------------------------------

    def _values(self, intent: Intent) -> values.Values:
        assert intent.event
        return values.of(intent.event, intent.name, intent.id, intent.attempt)

    def _request(self, intent: Intent, given: dict[str, Any]) -> Subscribe:
        fields = {name: given.get(name) for name in ("server", "session", "pane")}
        options = {name: value for name, value in given.items() if name not in Subscribe._fields}
        options["armed_by"] = {"action": intent.id, "depth": intent.depth + 1}
        token = f"action/{self._log}/{intent.id}"  # asked again, it is the same
        return Subscribe(token, given["kind"], given.get("patterns", []), **fields, options=options)

    def _ask(self, intent: Intent, request: Subscribe | Unsubscribe) -> None:
        def done(answer: Answer) -> None:
            if isinstance(answer, CtmuxError):
                self._end(intent, unstarted(str(answer)))
            else:
                self._end(intent, _DONE, more={"subscription": answer["subscription"]["id"]})

        ask(self._service, "matcher", request, _ASK, done)


def _patience(action: Action, config: RunnerConfig) -> float:
    return (action.timeout or config.timeout) + (_SPARE if action.do == "webhook" else 0.0)
