"""What follows from an answer to a webhook: it is delivered, asked again, asked elsewhere, or given up. Pure."""

import email.utils
import re
from datetime import UTC
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from ...shared.counted import counted
from ...shared.errors import CtmuxError, DeadlinePassed, Refused, UsageError

REDIRECTS_MOST = 5
_FIRST = 0.5  # seconds; doubled for each try, and shortened by up to a half, so that many do not come at once
_LONGEST = 30.0
_REDIRECTS = (301, 302, 307, 308)  # the same request elsewhere; 303 is the answer elsewhere
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")  # nothing that another parser could read in another way


class Answer(NamedTuple):
    """What a server has said, the fields of its header that matter; status 0: it has not, by `said`. `lasting`: nor will it
    the next time."""

    status: int
    said: str = ""
    retry_after: str | None = None
    location: str | None = None
    lasting: bool = False


class Try(NamedTuple):
    """The `number`th of at most `most` tries; `left`: seconds to the deadline. `luck`: from 0 to 1, for the jitter."""

    number: int
    most: int
    left: float
    luck: float
    now: float
    redirects: int = 0


class Done(NamedTuple):
    """It is delivered."""


class Again(NamedTuple):
    """Wait for so long, and try again."""

    seconds: float


class Elsewhere(NamedTuple):
    """Send it there."""

    url: str


class Stop(NamedTuple):
    """Nothing more is tried."""

    error: CtmuxError


def verdict(url: str, hosts: list[str] | None, answer: Answer, this: Try) -> Done | Again | Elsewhere | Stop:
    if 200 <= answer.status < 300:
        return Done()
    told = f"{origin(url)} answered {answer.status}" if answer.status else f"{origin(url)}: {answer.said}"
    if answer.status in _REDIRECTS and answer.location is not None:
        return _elsewhere(url, hosts, answer.location, this.redirects, told)
    if answer.status and answer.said:
        told += f": {answer.said}"
    if answer.lasting or not (answer.status in (0, 429) or answer.status >= 500):
        return Stop(CtmuxError(told))
    if this.number >= this.most:
        return Stop(CtmuxError(f"{told}; given up after {this.number} of {counted(this.most, 'try', 'tries')}"))
    seconds = _wait(answer.retry_after, this)
    if seconds >= this.left:
        return Stop(
            DeadlinePassed(f"{told}; the next try would be in {seconds:.1f} s, the deadline is in {this.left:.1f} s")
        )
    return Again(seconds)


def _wait(retry_after: str | None, this: Try) -> float:
    own = min(_LONGEST, _FIRST * 2.0 ** min(this.number - 1, 10)) * (1 - this.luck / 2)
    return max(own, _asked(retry_after, this.now))


def _asked(retry_after: str | None, now: float) -> float:
    """The seconds of Retry-After, which has a number or a date; 0 if it has neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = email.utils.parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        return 0.0


def _elsewhere(url: str, hosts: list[str] | None, location: str, redirects: int, told: str) -> Elsewhere | Stop:
    if redirects >= REDIRECTS_MOST:
        return Stop(Refused(f"{told}: more than {REDIRECTS_MOST} redirects"))
    try:
        there = urljoin(url, location)
        old, new = split(url, None), split(there, hosts)
    except (CtmuxError, ValueError) as error:
        return Stop(Refused(f"{told}: a redirect that is not followed: {error}"))
    before, after = (old.hostname, _port(old)), (new.hostname, _port(new))
    upgraded = (old.scheme, new.scheme) == ("http", "https") and after == (old.hostname, 443) and _port(old) == 80
    if not upgraded and (old.scheme, *before) != (new.scheme, *after):
        return Stop(Refused(f"{told}: a redirect to {origin(there)} is not followed: only one to the same host is"))
    return Elsewhere(there)


def split(url: str, hosts: list[str] | None) -> SplitResult:
    """The parts of a URL that may be asked. Raises UsageError, or Refused for a host that is not among `hosts`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises
    except ValueError as error:
        raise UsageError(f"url: {error}") from None
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host):
        raise UsageError("url: http://HOST/... or https://HOST/... is expected")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("url: only printable ASCII is supported; write %XX, and xn--... for a host")
    if "@" in parts.netloc:
        raise UsageError("url: a name or password in it would be seen everywhere; use a header")
    if hosts is not None and not any(fnmatchcase(host, glob.lower()) for glob in hosts):
        raise Refused(f"host {host} is not allowed; allowed: {', '.join(hosts) or 'none'}")
    return parts


def _port(parts: SplitResult) -> int:
    return _PORTS[parts.scheme] if parts.port is None else parts.port


def origin(url: str) -> str:
    """Where a URL leads, without its path: that is a secret of many a hook."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
