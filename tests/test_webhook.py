"""What a webhook sends, and what follows from each answer."""

import json

import pytest
from ctmux.services.runner import delivery
from ctmux.services.runner.verdict import REDIRECTS_MOST, Again, Answer, Done, Elsewhere, Stop, Try, split, verdict
from ctmux.shared.errors import CtmuxError, DeadlinePassed, Refused, UsageError
from hypothesis import given
from hypothesis import strategies as st

URL = "https://hooks.example/secret/path?token=1"
NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


def asked(**changed):
    request = {"url": URL, "event": {"n": 7}, "headers": {}, "secret_file": None, "timeout": 5, "tries": 3, "hosts": None}
    return delivery.read(json.dumps({**request, **changed}).encode())


def after(answer, url=URL, hosts=None, number=1, most=3, left=60.0, luck=0.0, redirects=0):
    return verdict(url, hosts, answer, Try(number, most, left, luck, NOW, redirects))


# ---- what follows from an answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_delivered(status):
    assert after(Answer(status), number=3, left=0.0) == Done()


@pytest.mark.parametrize("status", [500, 502, 503, 599, 429, 0])
def test_what_may_pass_is_tried_again_later_and_later(status):
    assert [after(Answer(status), number=n, most=99).seconds for n in (1, 2, 3, 20)] == [0.5, 1.0, 2.0, 30.0]
    assert after(Answer(status), luck=1.0).seconds == 0.25
    stopped = after(Answer(status, "so"), number=3)
    assert type(stopped.error) is CtmuxError and "given up after 3 of 3 tries" in str(stopped.error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 410, 422, 303, 304, 302])
def test_what_will_not_change_is_not_tried_again(status):
    stopped = after(Answer(status, "no", retry_after="1"))
    assert str(stopped.error) == f"https://hooks.example answered {status}: no"


def test_a_certificate_that_is_wrong_stays_so():
    assert isinstance(after(Answer(0, "self-signed", lasting=True)), Stop)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), (" 0 ", 0.5), ("Fri, 15 Jan 2027 08:00:20 GMT", 20.0), ("Fri, 15 Jan 2027 07:00:00 -0000", 0.5),
     ("soon", 0.5), ("", 0.5), ("-5", 0.5), ("1e3", 0.5), ("٣", 0.5)],
)  # fmt: skip
def test_retry_after(text, seconds):
    assert after(Answer(503, retry_after=text)) == Again(seconds)


def test_nothing_is_waited_for_that_comes_after_the_deadline():
    late = after(Answer(429, retry_after="999999999999"), left=10.0)
    assert isinstance(late.error, DeadlinePassed) and "answered 429" in str(late.error)


@pytest.mark.parametrize(
    ("url", "location", "there"),
    [
        (URL, "/other?x", "https://hooks.example/other?x"),
        (URL, "https://HOOKS.example:443/other", "https://HOOKS.example:443/other"),
        ("http://h.example/a", "https://h.example/b", "https://h.example/b"),
        ("http://h.example:8080/a", "http://h.example:8080/b", "http://h.example:8080/b"),
        (URL, "https://evil.example/", None),
        (URL, "//evil.example/", None),
        (URL, "https://hooks.example.evil.example/", None),
        (URL, "http://hooks.example/", None),
        (URL, "https://hooks.example:8443/", None),
        (URL, "https://hooks.example@evil.example/", None),
        (URL, "https://me@hooks.example/", None),
        ("http://h.example:8080/a", "https://h.example/b", None),
        (URL, "file:///etc/passwd", None),
        (URL, "javascript:alert(1)", None),
        (URL, "/a b", None),
        (URL, "https://[x/", None),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_stay_with_the_host(url, location, there, status):
    found = after(Answer(status, location=location), url)
    if there:
        assert found == Elsewhere(there)
    else:
        assert isinstance(found.error, Refused) and "token" not in str(found.error)
    again = after(Answer(status, location="/x"), redirects=REDIRECTS_MOST)
    assert isinstance(again.error, Refused)


@given(st.integers(0, 999), st.text(), st.text(), st.integers(1, 9), st.floats(-1, 1e6), st.floats(0, 1))
def test_any_answer_has_a_verdict_and_none_leads_away(status, retry_after, location, number, left, luck):
    found = after(Answer(status, "", retry_after, location), number=number, left=left, luck=luck)
    assert isinstance(found, Done) == (200 <= status < 300)
    if isinstance(found, Again):
        assert number < 3 and 0 < found.seconds < left
    if isinstance(found, Elsewhere):
        assert found.url.startswith("https://hooks.example")
        assert split(found.url, ["hooks.example"]).hostname == "hooks.example"


# ---- what may be asked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://h/", "file:///etc/passwd", "http://", "http:///x", "http://me:pw@h/", "http://h:x/", "http://h:99999/",
     "http://h/a b", "http://h/\r\nx: y", "http://h/\x00", "http://bücher.example/", "http://h%2fx/", "http://a\\@b/",
     "http://[::1/"],
)  # fmt: skip
def test_a_url_that_is_refused(url):
    with pytest.raises(UsageError, match=r"^url: "):
        asked(url=url)


def test_hosts_that_are_allowed():
    for url, hosts in ((URL, ["*.example"]), ("http://[::1]:80/", ["::1"]), ("HTTP://A.B/", ["x", "A.b"]), (URL, None)):
        assert asked(url=url, hosts=hosts).hosts == hosts
    for url in ("http://a.example.evil/", "http://xexample/", "http://example/"):
        with pytest.raises(Refused, match=r"not allowed; allowed: \*.example$"):
            asked(url=url, hosts=["*.example"])
    with pytest.raises(Refused, match="allowed: none"):
        asked(hosts=[])


@pytest.mark.parametrize(
    "headers",
    [{"a": "x\ny"}, {"a": "x\r\nHost: y"}, {"a": "\x00"}, {"a": "\x1b[2J"}, {"a": "\x85"}, {"a": "€"}, {"a": 1},
     {"a b": "x"}, {"": "x"}, {"a:": "x"}, {"a\n": "x"}, {"Host": "x"}, {"content-length": "0"}, {"Webhook-Id": "x"},
     {"X-Ctmux-Event": "1"}],
)  # fmt: skip
def test_headers_that_are_refused(headers):
    with pytest.raises(UsageError, match=r"^header "):
        asked(headers=headers)


@pytest.mark.parametrize(
    "changed",
    [{"event": {}}, {"event": 1}, {"event": {"n": True}}, {"event": {"n": 1, "x": float("nan")}}, {"timeout": 0},
     {"timeout": float("inf")}, {"tries": 0}, {"tries": "3"}, {"hosts": [1]}, {"hosts": "x"}, {"url": None}],
)  # fmt: skip
def test_requests_that_are_none(changed):
    with pytest.raises(UsageError):
        asked(**changed)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"event":' * 10000, b"\xff", b'{"event": {"n": 1}}'])
def test_what_is_no_request(text):
    with pytest.raises(UsageError, match=r"^stdin: "):
        delivery.read(text)


@given(st.recursive(st.text() | st.integers(-(2**63), 2**63) | st.none(), lambda one: st.dictionaries(st.text(), one)))
def test_the_body_is_the_event(data):
    event = {"n": 7, "data": data, "lone": "\udc80\ud800"}
    body = asked(event=event).body
    assert json.loads(body) == event and body.isascii()
    assert not any(byte < 0x20 for byte in body)


# ---- the signature -------------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_standard_webhooks():
    """The values that its libraries test themselves with."""
    key = delivery.secret(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    told = delivery.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_event_has_one_id_and_each_try_its_time():
    wanted = asked(headers={"authorization": "Bearer x"})
    first, second = (wanted.header(n, NOW + n, b"key", "ctmux/1") for n in (1, 2))
    assert first["webhook-id"] == second["webhook-id"] != asked(event={"n": 7, "x": 1}).id
    assert "." not in first["webhook-id"]
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1800000001", "1800000002")
    assert first["webhook-signature"] != second["webhook-signature"]
    assert (second["x-ctmux-event"], second["x-ctmux-attempt"], second["authorization"]) == ("7", "2", "Bearer x")
    assert "webhook-signature" not in wanted.header(1, NOW, None, "ctmux/1")


def test_secrets():
    assert delivery.secret(b"  plain text \n") == b"plain text"
    assert delivery.secret(b"whsec_AAEC") == b"\0\1\2"
    for text in (b"", b"\n", b"whsec_", b"whsec_!"):
        with pytest.raises(UsageError, match=r"^secret file: "):
            delivery.secret(text)
