"""Drafts on their way to the logger: one batch at a time, sent again until it is acknowledged.

Because only one batch is under way, and the logger takes a batch's drafts in order, no draft can be written while one
before it is missing; because a draft is known by its source position, none is written twice.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .codec import FRAME_MAX, pack
from .errors import CtmuxError, UsageError
from .messages import Draft, Put
from .rpc import Call

_BATCH = 500  # drafts
_BATCH_BYTES = 1 << 18  # packed: far below what the logger takes in one frame
_DRAFT_MOST = FRAME_MAX - (1 << 12)  # packed: the logger drops who sends it more in a frame, and answers nothing
_RETRY = 1.0  # seconds until a batch that the logger could not write is tried again


class _Queued(NamedTuple):
    """A draft, its size, and who is told if it is dropped; or, without a draft, who is told that all before is written."""

    draft: Draft | None
    size: int
    told: Callable[..., None] | None


class Outbox:
    """A queue of drafts inside a service's loop."""

    def __init__(self, service: Any, address: str):
        self._service = service
        self._call = Call(service, address)
        self._queue: deque[_Queued] = deque()
        self._sent = 0
        self._singly = 0  # drafts that go one by one: the logger will not take one of them
        self._waiting = False
        self.trouble: str | None = None  # why the journal takes nothing now

    def __len__(self) -> int:
        return len(self._queue)

    def put(
        self,
        drafts: Iterable[Draft],
        done: Callable[[], None] | None = None,
        dropped: Callable[[str], None] | None = None,
    ) -> None:
        """Queue drafts; `done` is called when they, and all before them, are in the journal, or, before that, `dropped`
        with the reason for each of them that it will never take."""
        for draft in drafts:
            queued = _Queued(draft, len(pack(draft)), dropped)
            if queued.size > _DRAFT_MOST:
                _drop(queued, f"it has {queued.size >> 10} KiB, more than a frame holds")
            else:
                self._queue.append(queued)
        if done:
            self._queue.append(_Queued(None, 0, done))
        self._send()

    def _send(self) -> None:
        if self._call.busy or self._waiting:
            return
        while self._queue and self._queue[0].draft is None:
            done = self._queue.popleft().told
            if done:
                done()
        if not self._queue or self._call.busy:
            return
        batch: list[list[Any]] = []
        size = 0
        for draft, packed, _told in self._queue:
            if draft is None or len(batch) == (1 if self._singly else _BATCH):
                break
            size += packed
            if batch and size > _BATCH_BYTES:
                break
            batch.append(list(draft))
        self._sent = len(batch)
        self._call.start(Put(batch), self._acknowledged, self._failed)

    def _acknowledged(self, _result: dict[str, Any]) -> None:
        self.trouble = None
        for _ in range(self._sent):
            self._queue.popleft()
        self._singly = max(0, self._singly - self._sent)
        self._sent = 0
        self._send()

    def _failed(self, error: CtmuxError) -> None:
        if isinstance(error, UsageError):
            # The logger will never take this: a mistake of ours, which must not hold up everything behind it.
            if self._sent > 1:
                self._singly = self._sent
                self._send()
                return
            _drop(self._queue[0], str(error))
            self._acknowledged({})
            return
        # The journal cannot be written now (a full disk): nothing is lost here, and the logger says so in its status.
        self._waiting = True
        self.trouble = str(error)
        self._service.after(_RETRY, self._again)

    def _again(self) -> None:
        self._waiting = False
        self._send()


def _drop(queued: _Queued, reason: str) -> None:
    print(f"outbox: {reason}; dropped: {queued.draft}"[:500], flush=True)
    if queued.told:
        queued.told(reason)
