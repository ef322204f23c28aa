"""An action that is being done: what is asked before, then its process, or a request to the matcher, then its end."""

import os
from collections.abc import Callable
from typing import Any

from ...shared.actions import AT_LEAST_ONCE, ON_PANE
from ...shared.errors import CtmuxError, NoTarget, Refused
from ...shared.messages import Sent, Subscribe, Unsubscribe
from ...shared.policy import Policy, check, check_pane
from . import arming, drafts, values
from .ask import Answer, ask
from .child import Child, Result, unstarted
from .intent import Intent
from .look import Look, clients, look
from .means import Means
from .plan import Plan, notifies_desktop, pane_of

_DONE = Result(0, None, 0.0, b"", 0, None)
_ASK = 10.0  # seconds in which the matcher must have done what an action asks of it
_CLIENTS_MOST = 20
_TELL = 0.3  # seconds; the keys do not wait for a matcher that does not answer
_TYPED_MOST = 65536  # characters: what a matcher looks for
_SPARE = 5.0  # seconds, to begin, too; a webhook that keeps its own deadline says more of it than we could

Ended = Callable[[Result, dict[str, Any]], None]  # its result, and what is reported besides


class Job:
    """`done` is called once, also when nothing could be started."""

    def __init__(self, means: Means, intent: Intent, done: Ended):
        assert intent.event
        self._intent, self._event, self._action = intent, intent.event, intent.action
        self._means, self._service, self._done = means, means.service, done
        self._child: Child | None = None
        self._ended: str | None = None  # why it is not to start

    def begin(self, waited: float) -> None:
        """`waited`: for its turn, in seconds."""
        self._try(lambda: self._begin(waited))

    def end(self, reason: str) -> None:
        """TERM to what runs; what does not yet is not started."""
        self._ended = reason
        if self._child:
            self._child.end(reason)

    def kill(self) -> None:
        if self._child:
            self._child.kill()

    def _try(self, step: Callable[[], None]) -> None:
        """An error of a step is its end."""
        try:
            step()
        except CtmuxError as error:
            self._done(unstarted(error), {})

    def _begin(self, waited: float) -> None:
        action = self._action
        oldest = action.max_age or self._means.config.max_age
        if action.deliver != AT_LEAST_ONCE and waited > oldest:
            raise Refused(f"stale: it waited {waited:.0f} s for its turn, behind others of its subscription")
        policy = self._means.policy()
        check(policy, action)
        if action.do == "publish":
            self._publish()
        elif action.do == "arm":
            self._ask(arming.request(self._intent, self._means.log))
        elif action.do == "remove":
            self._ask(Unsubscribe(action.target or ""))
        elif action.do in ON_PANE and (action.do == "signal" or policy.type_into != ["*"]):
            self._look(policy)
        elif action.do == "notify" and not notifies_desktop(dict(os.environ)):
            self._find_clients(policy)
        else:
            self._run(policy)

    # ---- without a process -----------------------------------------------------------------------------------------

    def _publish(self) -> None:
        intent = self._intent
        value = values.of(self._event, intent.name, intent.id, intent.attempt).published(self._action.data)
        self._means.tell([drafts.published(intent, value)])
        self._done(_DONE, {})

    def _ask(self, request: Subscribe | Unsubscribe) -> None:
        def answered(answer: Answer) -> None:
            if isinstance(answer, CtmuxError):
                self._done(unstarted(answer), {})
            else:
                self._done(_DONE, {"subscription": answer["subscription"]["id"]})

        ask(self._service, "matcher", request, _ASK, answered)

    # ---- processes -------------------------------------------------------------------------------------------------

    def _look(self, policy: Policy) -> None:
        """See what the pane is called, and what runs in it, first."""
        pane = pane_of(self._action, self._event)

        def found(shown: Look | str) -> None:
            if isinstance(shown, str):
                raise NoTarget(shown)
            check_pane(policy, pane, shown.names)
            if self._action.do == "signal" and not shown.group:
                raise NoTarget(f"the program of {pane} has ended: there is nothing to signal")
            self._run(policy, shown.group)

        look(self._service, self._means.cause(self._intent).socket, pane, lambda shown: self._try(lambda: found(shown)))

    def _find_clients(self, policy: Policy) -> None:
        """In the status lines of who is attached."""
        socket = self._means.cause(self._intent).socket
        if socket is None:
            raise NoTarget("nobody can be notified: no notify-send with a session bus, and no tmux server in the event")

        def found(names: list[str] | str) -> None:
            if isinstance(names, str):
                raise NoTarget(names)
            self._run(policy, clients=tuple(names[:_CLIENTS_MOST]))

        clients(self._service, socket, lambda names: self._try(lambda: found(names)))

    def _run(self, policy: Policy, group: int | None = None, clients: tuple[str, ...] = ()) -> None:
        made = self._means.plan(self._intent, policy, group, clients)
        self._means.book.chains.begins(self._intent)
        if made.typed is None:
            self._spawn(made)
        else:
            sent = Sent(self._action.server or self._event.server or "", str(made.pane), made.typed[:_TYPED_MOST])
            ask(self._service, "matcher", sent, _TELL, lambda _answer: self._spawn(made))

    def _spawn(self, made: Plan) -> None:
        if self._ended:
            self._done(unstarted(self._ended), {})
            return
        action, config = self._action, self._means.config
        keep = config.output_bytes if action.output is None else action.output
        patience = (action.timeout or config.timeout) + (_SPARE if action.do == "webhook" else 0.0)
        try:
            self._child = Child(
                self._service, made, patience, action.grace or config.grace, keep, lambda result: self._done(result, {})
            )
        except (OSError, ValueError) as error:
            self._done(unstarted(f"it cannot be started: {error}"), {})
            return
        self._means.tell([drafts.started(self._intent, self._child.pid, made.argv)])
