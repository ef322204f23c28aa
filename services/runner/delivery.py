"""What a webhook sends: an event as JSON, the fields of the header, and the signature of both. Pure.

The signature is that of Standard Webhooks (https://www.standardwebhooks.com/): receivers have libraries for it. Beside the
body it covers an id, which is the same for each try of an event, and the time of the try, so nothing can be sent again.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
import re
from typing import Any, NamedTuple

from ...shared.codec import fits
from ...shared.errors import UsageError
from . import verdict

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff]*")
_OURS = re.compile(  # what we say ourselves, and what decides where a message ends or who gets it
    r"(?i)content-(type|length|encoding)|user-agent|webhook-.*|x-ctmux-.*|host|connection|transfer-encoding|te|trailer|upgrade"
    r"|expect|proxy-.*"
)
_FIELDS = {
    "url": str, "event": dict[str, Any], "headers": dict[str, Any], "secret_file": str | None, "timeout": float,
    "tries": int, "hosts": list[str] | None,
}  # fmt: skip


class Delivery(NamedTuple):
    """A checked request."""

    url: str
    body: bytes
    id: str
    event: int
    headers: dict[str, str]
    secret_file: str | None
    timeout: float
    tries: int
    hosts: list[str] | None

    def header(self, attempt: int, now: float, secret: bytes | None, agent: str) -> dict[str, str]:
        """All that a try says beside the body."""
        time = str(int(now))
        signed = {"webhook-signature": signature(secret, self.id, time, self.body)} if secret is not None else {}
        return {
            **self.headers, "content-type": "application/json", "user-agent": agent, "x-ctmux-event": str(self.event),
            "x-ctmux-attempt": str(attempt), "webhook-id": self.id, "webhook-timestamp": time, **signed,
        }  # fmt: skip


def body(event: Any) -> bytes:
    return json.dumps(event, allow_nan=False, separators=(",", ":")).encode()  # ASCII, whatever is in it


def read(text: bytes) -> Delivery:
    """The request on stdin. Raises UsageError, or Refused for a host that is not allowed."""
    try:
        given = json.loads(text)
        sent = body(given["event"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("stdin: one JSON object with an `event` is expected") from None
    for name, type_ in _FIELDS.items():
        if name not in given or not fits(given[name], type_):
            raise UsageError(f"stdin: {name} of the type {getattr(type_, '__name__', type_)} is expected")
    url, hosts, timeout, tries = (given[name] for name in ("url", "hosts", "timeout", "tries"))
    if not all(isinstance(host, str) for host in hosts or ()):
        raise UsageError("stdin: hosts are texts")
    verdict.split(url, hosts)
    if not (math.isfinite(timeout) and timeout > 0 and tries >= 1):
        raise UsageError("timeout and tries are to be above 0")
    n = given["event"].get("n")
    if type(n) is not int:
        raise UsageError("stdin: the event has no number")
    id = f"event_{n}_{hashlib.sha256(sent).hexdigest()[:16]}"  # numbers alone are those of one log only
    return Delivery(url, sent, id, n, _headers(given["headers"]), given["secret_file"], float(timeout), tries, hosts)


def _headers(given: dict[str, Any]) -> dict[str, str]:
    for name, value in given.items():
        if not _NAME.fullmatch(name):
            raise UsageError(f"header {name!r}: letters, digits and - are expected")
        if _OURS.fullmatch(name):
            raise UsageError(f"header {name}: that is ctmux's own")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise UsageError(f"header {name}: its value has control characters, or others than Latin-1 ones")
    return given


def secret(text: bytes) -> bytes:
    """The key in a secret file: its line as it is, or `whsec_` and base64 as Standard Webhooks writes it. Raises
    UsageError."""
    line = text.strip()
    try:
        key = base64.b64decode(line[6:], validate=True) if line.startswith(b"whsec_") else line
    except binascii.Error:
        raise UsageError("secret file: whsec_ is to be followed by base64") from None
    if not key:
        raise UsageError("secret file: it is empty")
    return key


def signature(key: bytes, id: str, time: str, body: bytes) -> str:
    digest = hmac.digest(key, f"{id}.{time}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
