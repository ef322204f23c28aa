"""The `ctmux` command without its imports, which cost 0.3 s of CPU each time: a process that has made them forks for each.

What runs is what `ctmux` runs: in a process of its own, with the caller's arguments and environment, to its ordinary end.
A request is a line of JSON on stdin, with the files for stdout and stderr; the answer is a line with the exit code.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

_LATER = ("ctmux.cli.audit", "ctmux.client.client", "ctmux.shared.bus", "ctmux.shared.rpc", "importlib.metadata", "libtmux",
          "re2", "supervisor.xmlrpc", "tomllib", "xmlrpc.client")  # what commands import when they need it  # fmt: skip


class Warm:
    """One such process, and another one after a command that did not end in time; it ends when its owner does."""

    def __init__(self) -> None:
        self._process = self._begin()

    def _begin(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"}, start_new_session=True,
        )  # fmt: skip

    def run(self, arguments: tuple[str, ...], env: dict[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run(["ctmux", *arguments], ...)` returns or raises."""
        assert self._process.stdin and self._process.stdout
        with tempfile.TemporaryDirectory(prefix="ctw-") as folder:
            files = [f"{folder}/out", f"{folder}/err"]
            try:
                print(json.dumps([arguments, env, files]), file=self._process.stdin, flush=True)
                if not select.select([self._process.stdout], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(arguments, timeout)
                code = int(self._process.stdout.readline())
            except BaseException:
                os.killpg(self._process.pid, signal.SIGKILL)  # with the command
                self.close()
                self._process = self._begin()
                raise
            return subprocess.CompletedProcess(arguments, code, *(Path(file).read_text() for file in files))

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


def main() -> None:
    from ctmux.cli.main import app, run

    for name in _LATER:
        importlib.import_module(name)
    os.environ["CTMUX_TMUX_SOCKET"] = os.devnull
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):  # the parser, too, has such imports
        app(["pane", "info", "%0"])
    gc.collect()
    gc.freeze()  # or the end of each command would look at, and so copy, all that is here
    requests = os.fdopen(os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for request in requests:
        arguments, env, files = json.loads(request)
        pid = os.fork()
        if pid == 0:
            break
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    else:
        return
    requests.close()
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["ctmux", *arguments]
    run()


if __name__ == "__main__":
    main()
