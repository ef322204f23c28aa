"""Webhooks to a real server on this machine: what it gets, and how each of its manners ends."""

import base64
import hmac
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from guest import Guest
from harness import World
from printer import Printer, subscribe

pytestmark = pytest.mark.any_tmux

EVENT = {"n": 41, "kind": "pattern.matched", "data": {"line": "FAILED test_login"}}
Manner = Callable[["Handler"], None]


class Got(NamedTuple):
    """A request as it came."""

    path: str
    header: dict[str, str]
    body: bytes


class Ended(NamedTuple):
    """How the program ended."""

    code: int
    told: dict[str, Any]
    error: str


class Handler(BaseHTTPRequestHandler):
    """Notes each request, and answers by the next manner of the server; by its last one again and again."""

    server: "Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        manners = self.server.manners
        try:
            (manners.pop(0) if len(manners) > 1 else manners[0])(self)
        except OSError:  # whoever asked has gone
            self.close_connection = True

    def log_message(self, *_told: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """`over` is set when the test is: nobody hangs behind it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[Got] = []
        self.manners: list[Manner] = []
        self.over = threading.Event()

    def url(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.server_port}/secret-path"


def answers(status: int, body: bytes = b"", **fields: str) -> Manner:
    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in fields.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs(handler: Handler) -> None:
    handler.server.over.wait()


def dribbles(start: bytes) -> Manner:
    """A byte now and then, for ever: no single read ever takes long."""

    def dribble(handler: Handler) -> None:
        handler.wfile.write(start)
        while not handler.server.over.wait(0.05):
            handler.wfile.write(b"x")

    return dribble


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.over.set()
        made.shutdown()
        thread.join()


def post(url: str, env: dict[str, str] | None = None, **changed: Any) -> Ended:
    request = {"url": url, "event": EVENT, "headers": {}, "secret_file": None, "timeout": 60, "tries": 3, "hosts": None}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ctmux.services.runner.webhook"], input=json.dumps({**request, **changed}).encode(),
        capture_output=True, timeout=90, env={"LC_ALL": "C", **(env or {})},
    )  # fmt: skip
    return Ended(done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr.decode())


def test_what_arrives(server: Server, tmp_path: Path) -> None:
    server.manners = [answers(204)]
    (tmp_path / "secret").write_text("open sesame\n")
    ended = post(server.url(), secret_file=str(tmp_path / "secret"), headers={"Authorization": "Bearer é"})
    assert (ended.code, ended.error) == (0, "")
    assert (ended.told["status"], ended.told["tries"]) == (204, 1) and ended.told["seconds"] < 60
    [got] = server.got
    assert (got.path, json.loads(got.body)) == ("/secret-path", EVENT)
    assert got.header["content-type"] == "application/json" and got.header["user-agent"].startswith("ctmux/")
    assert (got.header["x-ctmux-event"], got.header["x-ctmux-attempt"]) == ("41", "1")
    assert got.header["authorization"] == "Bearer é"
    signed = f"{got.header['webhook-id']}.{got.header['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.digest(b"open sesame", signed, "sha256")).decode()
    assert got.header["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize(
    "line",
    ["a\nb\r\nc", "\x00", "\x1b]0;owned\x07\x1b[2J", "\udc80\udcff\ud83d", "é€😀\u2028", "x" * (1 << 20), '"\\</script>'],
    ids=["newlines", "NUL", "escapes", "surrogates", "unicode", "1 MB", "quotes"],
)  # fmt: skip
def test_hostile_text_arrives_as_it_is(server: Server, line: str) -> None:
    server.manners = [answers(200)]
    event = {"n": 1, "data": {"line": line, line[:50]: [line[:50]]}}
    assert post(server.url(), event=event).code == 0
    assert json.loads(server.got[0].body) == event


def test_failures_that_pass_are_tried_again(server: Server) -> None:
    server.manners = [answers(500), answers(503, b"busy"), answers(200)]
    ended = post(server.url())
    assert (ended.code, ended.told["status"], ended.told["tries"]) == (0, 200, 3)
    assert [got.header["x-ctmux-attempt"] for got in server.got] == ["1", "2", "3"]
    assert len({got.header["webhook-id"] for got in server.got}) == 1


def test_failures_that_stay(server: Server) -> None:
    server.manners = [answers(500, b"first\nsecond \x1b[31m")]
    ended = post(server.url(), tries=2)
    assert (ended.code, ended.told["status"], ended.told["tries"]) == (1, 500, 2)
    where = f"http://127.0.0.1:{server.server_port}"
    said = r"first\nsecond \x1b[31m"
    assert ended.error == f"ctmux: webhook: {where} answered 500: {said}; given up after 2 of 2 tries\n"
    server.manners = [answers(404, b"no such hook")]
    ended = post(server.url())
    assert (ended.code, ended.told["tries"]) == (1, 1)
    assert ended.error == f"ctmux: webhook: {where} answered 404: no such hook\n"


def test_retry_after(server: Server) -> None:
    server.manners = [answers(429, retry_after="1"), answers(200)]
    ended = post(server.url())
    assert (ended.code, ended.told["tries"]) == (0, 2) and ended.told["seconds"] >= 1.0
    server.manners = [answers(429, retry_after="3600")]
    ended = post(server.url())
    assert (ended.code, ended.told["status"], ended.told["tries"]) == (124, 429, 1) and ended.told["seconds"] < 60
    assert "the next try would be in 3600.0 s" in ended.error


def test_nobody_there(server: Server) -> None:
    with Server() as closed:
        url = closed.url()
    ended = post(url, tries=2)
    assert (ended.code, ended.told["status"], ended.told["tries"]) == (1, None, 2)
    assert "Connection refused; given up after 2 of 2 tries" in ended.error and "secret" not in ended.error


@pytest.mark.parametrize(
    "manner",
    [hangs, dribbles(b"HTTP/1.1 200 OK\r\nx: "), dribbles(b"HTTP/1.1 500 no\r\n\r\n"), dribbles(b"")],
    ids=["hangs", "dribbles its header", "dribbles its body", "dribbles"],
)
def test_the_deadline_is_for_everything(server: Server, manner: Manner) -> None:
    server.manners = [manner]
    ended = post(server.url(), timeout=1.5)
    assert ended.code == 124 and "not delivered in 1.5 s" in ended.error
    assert 1.5 <= ended.told["seconds"] < 30 and ended.told["tries"] == 1


def test_what_comes_behind_a_good_answer_is_not_waited_for(server: Server) -> None:
    server.manners = [dribbles(b"HTTP/1.1 200 OK\r\n\r\n")]
    assert post(server.url()).told["status"] == 200


def test_no_answer_at_all_is_tried_again(server: Server) -> None:
    server.manners = [lambda handler: handler.connection.close(), lambda handler: handler.wfile.write(b"nonsense\r\n" * 9)]
    server.manners.append(answers(200))
    assert post(server.url()).told["tries"] == 3


def test_a_huge_body_is_not_read(server: Server) -> None:
    def endless(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 400 no\r\n\r\n")
        while not handler.server.over.is_set():
            handler.wfile.write(b"y" * 65536)

    server.manners = [endless]
    ended = post(server.url())
    assert (ended.code, ended.told["status"]) == (1, 400) and len(ended.error) < 400


def test_redirects(server: Server) -> None:
    server.manners = [answers(307, location="/moved"), answers(302, location=server.url()), answers(200)]
    ended = post(server.url(), headers={"Authorization": "Bearer x"})
    assert (ended.code, ended.told["tries"]) == (0, 1)
    assert [got.path for got in server.got] == ["/secret-path", "/moved", "/secret-path"]
    assert {(got.header["authorization"], json.loads(got.body)["n"]) for got in server.got} == {("Bearer x", 41)}
    server.manners = [answers(308, location="/round")]
    ended = post(server.url())
    assert (ended.code, ended.told["status"]) == (5, 308) and "more than 5 redirects" in ended.error


def test_a_redirect_to_another_host_is_not_followed(server: Server) -> None:
    server.manners = [answers(307, location=server.url("localhost"))]
    ended = post(server.url())
    assert ended.code == 5 and len(server.got) == 1
    assert f"a redirect to http://localhost:{server.server_port} is not followed" in ended.error


def test_hosts(server: Server) -> None:
    server.manners = [answers(200)]
    assert post(server.url(), hosts=["127.*"]).code == 0
    ended = post(server.url(), hosts=["*.example"])
    assert (ended.code, len(server.got)) == (5, 1)
    assert ended.error == "ctmux: webhook: host 127.0.0.1 is not allowed; allowed: *.example\n"


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(server: Server) -> None:
    server.manners = [answers(200)]
    proxy = {"http_proxy": server.url("127.0.0.1").removesuffix("/secret-path")}
    assert post("http://hook.example/x", env=proxy).code == 0
    assert [got.path for got in server.got] == ["http://hook.example/x"]
    assert post(server.url("localhost"), env={"http_proxy": "http://127.0.0.1:1"}).code == 0
    ended = post("http://hook.example/x", env={**proxy, "no_proxy": "hook.example"}, tries=1)
    assert (ended.code, len(server.got)) == (1, 2)


def test_certificates_are_verified(server: Server, tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key"), str(tmp_path / "certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.manners = [answers(200)]
    trusted = {"SSL_CERT_FILE": certificate}
    assert post(server.url("localhost", "https"), env=trusted).code == 0
    for url, env in ((server.url("localhost", "https"), {}), (server.url("127.0.0.1", "https"), trusted)):
        ended = post(url, env=env)
        assert (ended.code, ended.told["tries"], len(server.got)) == (1, 1, 1)
        assert "certificate" in ended.error or "IP address mismatch" in ended.error


def test_mistakes_are_told_in_a_line(tmp_path: Path) -> None:
    for changed, told in (
        ({"url": "gopher://h/"}, "url: http://HOST/... or https://HOST/... is expected"),
        ({"headers": {"a": "b\r\nc"}}, "header a: its value has control characters, or others than Latin-1 ones"),
        ({"secret_file": f"{tmp_path}/no"}, f"secret file {tmp_path}/no: No such file or directory"),
    ):
        ended = post(**{"url": "http://127.0.0.1:1/", **changed})
        assert (ended.code, ended.error) == (2, f"ctmux: webhook: {told}\n")
        assert ended.told["status"] is None


def test_an_action_delivers_its_event(guest: Guest, server: Server, tmp_path: Path) -> None:
    server.manners = [answers(500), answers(200)]
    (tmp_path / "secret").write_text("open sesame\n")
    out = Printer(guest)
    armed = subscribe(
        guest,
        "pattern",
        "^go",
        "--webhook",
        server.url(),
        "--secret-file",
        str(tmp_path / "secret"),
        "--header",
        "X-Of: me",
    )
    out("go \x1b[31m\"$(id)\" 'é'\n")
    event = guest.wait_event("pattern.matched", subscription=armed)
    told = guest.wait_event("action.finished", subscription=armed)["data"]
    assert told["exit_code"] == 0 and json.loads(told["output"].splitlines()[-1])["tries"] == 2
    first, second = server.got
    assert json.loads(first.body) == event and event["data"]["line"] == "go \"$(id)\" 'é'"
    assert first.header["x-of"] == "me" and first.header["webhook-id"] == second.header["webhook-id"]
    assert second.header["webhook-signature"].startswith("v1,")


def test_an_action_to_a_host_that_the_policy_does_not_name(world: World, server: Server) -> None:
    policy = Path(f"{world.root}/policy.toml")
    policy.write_text('hosts = ["localhost"]\n')
    world.env["CTMUX_POLICY"] = str(policy)
    server.manners = [answers(307, location=server.url("127.0.0.1"))]
    world.begin()
    out = Printer(world)
    refused = world.ctmux("subscribe", "pattern", "x", "--webhook", server.url("127.0.0.1"), code=5).stderr
    assert "127.0.0.1" in refused
    armed = subscribe(world, "pattern", "^go", "--webhook", server.url("localhost"))
    out("go\n")
    told = world.wait_event("action.finished", subscription=armed)["data"]
    assert told["exit_code"] == 5 and "127.0.0.1" in told["output"] and len(server.got) == 1
