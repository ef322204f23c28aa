"""`ctmux pane record`: every byte of a pane with its time, in a file that is whole however the recording ends."""

import json
import os
import signal
from pathlib import Path

import pytest
from corpus.recording import Recording
from ctmux.shared import marks, spool
from guest import Guest
from harness import until

pytestmark = pytest.mark.any_tmux


def recording(path: str) -> Recording:
    return Recording.parse(Path(path).read_text())


def printed(path: str) -> bytes:
    return b"".join(data for _seconds, data in recording(path).pieces)


def published(guest: Guest, pane: str) -> int:
    """How many bytes of a pane have a time."""
    offsets = [
        mark.offset
        for found in guest.spools(pane)
        for mark in marks.read(spool.meta(f"{guest.paths.spool}/{found.server}", found.stream.name, "idx"))
    ]
    return max(offsets, default=0)


def started(path: str) -> bool:
    return os.path.exists(path) and Path(path).read_text().count("\n") > 0


def test_from_the_first_byte_to_the_end_of_the_pane(guest: Guest) -> None:
    file = f"{guest.root}/whole.cast"
    pane = guest.open_pane(
        r"echo up; read go; sleep 0.5; printf '\342'; sleep 0.3; printf '\202\254 \377\n'; read go; exit 3"
    )
    until(lambda: published(guest, pane) == len(b"up\r\n"))
    guest.tmux("send-keys", "-t", pane, "go", "Enter")
    whole = b"up\r\ngo\r\n\xe2\x82\xac \xff\r\n"
    until(lambda: published(guest, pane) == len(whole))
    running = guest.popen("pane", "record", pane, file, "--from", "start", "--json")
    until(lambda: started(file) and printed(file) == whole)
    guest.tmux("send-keys", "-t", pane, "now", "Enter")
    out, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (0, "")
    assert printed(file) == whole + b"now\r\n"
    found = json.loads(out)
    assert (found["command"], found["pane_id"]) == ("pane-record", pane)
    assert (found["data"]["exit_status"], found["data"]["bytes"]) == (3, len(printed(file)))
    times = [seconds for seconds, _data in recording(file).pieces]
    assert times == sorted(times) and times[0] == 0.0
    euro, go = (next(at for at, data in recording(file).pieces if text in data) for text in ("€".encode(), b"go"))
    assert euro - go > 0.6  # it had been printed before the recording began: the index knows when
    assert (recording(file).width, recording(file).height) == (120, 30)


def test_from_now_on_until_ctrl_c(guest: Guest) -> None:
    file = f"{guest.root}/now.cast"
    pane = guest.open_pane("echo before; exec cat")
    until(lambda: guest.spools(pane) and b"before" in Path(guest.spools(pane)[0].path).read_bytes())
    running = guest.popen("pane", "record", pane, file)
    until(lambda: started(file))

    def heard() -> bool:
        guest.tmux("send-keys", "-t", pane, "-l", "x")
        return b"x" in printed(file)

    until(heard)
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=20) == ("", "")
    assert running.returncode == 130
    assert set(printed(file)) == set(b"x")
    assert Path(file).read_text().endswith("\n")


def test_a_recording_that_ends_in_time(guest: Guest) -> None:
    file = f"{guest.root}/late.cast"
    pane = guest.open_pane("echo ready; exec cat")
    late = guest.ctmux("pane", "record", pane, file, "--from", "start", "--timeout", "0.5", code=124)
    assert late.stdout == "" and late.stderr.count("\n") == 1 and file in late.stderr
    assert printed(file) == b"ready\r\n"


def test_no_file_is_overwritten_without_force(guest: Guest) -> None:
    file = f"{guest.root}/kept.cast"
    Path(file).write_text("mine")
    pane = guest.open_pane("echo done; read go")
    assert "--force" in guest.ctmux("pane", "record", pane, file, code=5).stderr
    assert Path(file).read_text() == "mine"
    assert "No such file" in guest.ctmux("pane", "record", pane, f"{guest.root}/no/such.cast", code=1).stderr
    guest.ctmux("pane", "record", pane, file, "--force", "--from", "start", "--timeout", "0.5", code=124)
    assert printed(file) == b"done\r\n"
    guest.ctmux("pane", "record", "nobody", f"{guest.root}/none.cast", code=4)
    assert not os.path.exists(f"{guest.root}/none.cast")


def test_a_disk_that_fills_is_one_line(guest: Guest) -> None:
    pane = guest.open_pane("echo done; exec cat")
    told = guest.ctmux("pane", "record", pane, "/dev/full", "--force", "--from", "start", code=1).stderr
    assert "No space left" in told.splitlines()[-1] and "Traceback" not in told
