"""What the runner says: an action begins when its intent is in the log, and only then."""

import shutil
import tempfile

import pytest
from ctmux.services.logger.ledger import Ledger
from ctmux.services.runner.intent import Intent
from ctmux.services.runner.reports import Reports
from ctmux.shared import bus
from ctmux.shared.errors import UsageError
from ctmux.shared.messages import Draft, Event, Put
from ctmux.shared.paths import Paths
from ctmux.shared.rpc import Server
from loop import Loop

EVENT = Event(7, "2026-01-01T00:00:00.000000Z", "x.matched", "srv", "$0", None, "%1", "s1", {}, {}, "p", 7, "", [])


@pytest.fixture
def loop():
    directory = tempfile.mkdtemp(dir="/tmp")  # short: a socket's path has 107 bytes
    context = bus.context()
    made = Loop(context, Paths("default", directory, directory))
    ledger, logger = Ledger("log"), Server(context, made.paths.control("logger"))

    def put(request, _reply):
        drafts = [Draft(*fields) for fields in request.drafts]
        if any(draft.data.get("spec", {}).get("text") == "too long" for draft in drafts):
            raise UsageError("an event has at most 512 KiB")
        ledger.commit(ledger.accept(drafts))
        return {"head": ledger.head}

    logger.handle(Put, put)
    made.register(logger.socket, logger.receive)
    yield made
    context.destroy(linger=0)
    shutil.rmtree(directory)


def intent(at, text):
    return Intent(f"7.s1.{at}", 7, "s1", None, at, {"do": "shell", "text": text}, 1, 0, EVENT)


def test_an_intent_that_the_log_does_not_take_is_not_begun(loop):
    begun, refused = [], []
    reports = Reports(loop, "log", lambda: None)
    for at, text in enumerate(("x", "too long", "y")):
        reports.intended(intent(at, text), begun.append, lambda one, reason: refused.append((one.at, reason)))
    loop.run(lambda: len(begun) + len(refused) == 3)
    assert [one.at for one in begun] == [0, 2]
    assert refused == [(1, "an event has at most 512 KiB")]
