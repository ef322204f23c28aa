"""`python -m ctmux.services.runner.webhook`: deliver one event by HTTP, in a process of its own.

stdin: {url, event, headers, secret_file, timeout, tries, hosts}, see `delivery.py`. The last line of stdout is JSON:
{status (null: no answer), tries, seconds}. Exit code 0: delivered; otherwise that of the error tree, and a line on stderr.
"""

import http.client
import importlib.metadata
import ipaddress
import json
import os
import random
import ssl
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import IO, Any, NoReturn

from ...shared.counted import counted
from ...shared.errors import CtmuxError, DeadlinePassed, UsageError
from . import delivery
from .verdict import Again, Answer, Done, Elsewhere, Stop, Try, origin, verdict

_SAID_MAX = 2048  # bytes of an answer that are read
_SHOWN_MAX = 200  # characters of it in an error
_SECRET_MAX = 4096  # bytes


class Webhook:
    """The tries of one delivery. `timeout` is for all of it together: a timer ends the process wherever it hangs, in a name
    server, too."""

    def __init__(self, text: bytes):
        self._began = time.monotonic()
        self._status: int | None = None
        self._said = ""  # why there was none
        self._tries = 0
        self._ending = threading.Lock()
        self.wanted = delivery.read(text)
        self._deadline = self._began + self.wanted.timeout
        timer = threading.Timer(self.wanted.timeout, self._late)
        timer.daemon = True
        timer.start()

    def _late(self) -> NoReturn:
        answered = f"it answered {self._status} before" if self._status else f"no answer{self._said}"
        where = origin(self.wanted.url)
        tries = counted(self._tries, "try", "tries")
        self.end(DeadlinePassed(f"{where}: not delivered in {self.wanted.timeout:g} s: {answered}, {tries}"))

    def end(self, error: CtmuxError | None) -> NoReturn:
        """Say how it went, once."""
        self._ending.acquire()  # for ever: the process ends
        seconds = round(time.monotonic() - self._began, 3)
        finish(error, {"status": self._status, "tries": self._tries, "seconds": seconds})

    def run(self) -> None:
        """Returns when it is delivered. Raises CtmuxError."""
        wanted, url, redirects = self.wanted, self.wanted.url, 0
        secret = _secret(wanted.secret_file) if wanted.secret_file is not None else None
        agent = f"ctmux/{importlib.metadata.version('ctmux')}"
        while True:
            self._tries += not redirects
            header = wanted.header(self._tries, time.time(), secret, agent)
            answer = _post(url, wanted.body, header, wanted.timeout + 1)  # the timer comes before
            self._status = answer.status or None
            self._said = f" ({answer.said})" if not answer.status else ""
            left = self._deadline - time.monotonic()
            this = Try(self._tries, wanted.tries, left, random.random(), time.time(), redirects)  # noqa: S311
            match verdict(url, wanted.hosts, answer, this):
                case Done():
                    return
                case Again(seconds):
                    time.sleep(seconds)  # the backoff itself: this process has nothing else to do
                    url, redirects = wanted.url, 0
                case Elsewhere(there):
                    url, redirects = there, redirects + 1
                case Stop(error):
                    raise error


def _secret(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return delivery.secret(file.read(_SECRET_MAX))
    except (OSError, ValueError) as error:
        raise UsageError(f"secret file {path}: {getattr(error, 'strerror', None) or error}") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirects are answers: `verdict` decides."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def _opener(host: str) -> urllib.request.OpenerDirector:
    """By the proxies of the environment, as curl and git: who has any reaches the world only so. Never to this machine."""
    proxies = {} if _is_here(host) else urllib.request.getproxies_environment()
    return urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _NoRedirect())


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _post(url: str, body: bytes, header: dict[str, str], seconds: float) -> Answer:
    request = urllib.request.Request(url, body, header, method="POST")  # noqa: S310 (http and https only: `split`)
    try:
        with _opener(urllib.parse.urlsplit(url).hostname or "").open(request, timeout=seconds) as response:
            return Answer(response.status)  # delivered: what it says besides is not waited for
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _said(error), error.headers["retry-after"], error.headers["location"])
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        lasting = isinstance(reason, (ssl.SSLCertVerificationError, UnicodeError))
        said = getattr(reason, "verify_message", "") or getattr(reason, "strerror", None) or str(reason)
        return Answer(0, f"{said or type(reason).__name__}", lasting=lasting)


def _said(response: IO[bytes]) -> str:
    """The beginning of what a server says of an error."""
    try:
        return response.read(_SAID_MAX).decode(errors="replace").strip()[:_SHOWN_MAX]
    except (OSError, http.client.HTTPException):
        return ""


def finish(error: CtmuxError | None, told: dict[str, Any]) -> NoReturn:
    """End the process, whatever its threads do."""
    if error:
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(error))
        os.write(2, f"ctmux: webhook: {text}\n".encode())
    os.write(1, json.dumps(told).encode() + b"\n")
    os._exit(error.exit_code if error else 0)


def main() -> None:
    try:
        webhook = Webhook(sys.stdin.buffer.read())
    except CtmuxError as error:
        finish(error, {"status": None, "tries": 0, "seconds": 0.0})
    try:
        webhook.run()
    except CtmuxError as error:
        webhook.end(error)
    webhook.end(None)


if __name__ == "__main__":
    main()
