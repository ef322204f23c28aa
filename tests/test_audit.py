"""The audit of a journal: whole ones have no faults, and each kind of damage is told."""

import json

import pytest
from ctmux.cli.audit import audit
from ctmux.services.logger.writer import Writer
from ctmux.shared.codec import event_line
from ctmux.shared.config import LoggerConfig
from ctmux.shared.messages import Draft


@pytest.fixture
def directory(tmp_path):
    """A journal of several segments, by the logger's own writer."""
    made = Writer(str(tmp_path / "journal"), LoggerConfig(segment_bytes=1500))
    for position in range(30):
        drafts = [
            Draft("match/x/p1", position, key, "pattern.matched", 1.0, "x", "$1", pane="%1", subscription=key)
            for key in ("s1", "s2")
        ]
        ended = Draft("keeper/x", position, "", "pane.moved", 1.0, "x", "$1", pane="%2", ends=[f"old/{position}"])
        events = made.ledger.accept([*drafts, ended])
        made.append([event_line(event) for event in events])
        made.ledger.commit(events)
        made.rotate_if_due()
    made.close()
    return tmp_path / "journal"


def segments(directory):
    return sorted(directory.glob("events-*.jsonl"))


def change(path, number, **fields):
    """Change fields of a line, by its index."""
    lines = path.read_text().splitlines()
    lines[number] = json.dumps({**json.loads(lines[number]), **fields}, separators=(",", ":"))
    path.write_text("\n".join(lines) + "\n")


def drop(path, number):
    """Remove a line, by its index."""
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:number] + lines[number + 1 :]))


def test_a_whole_journal(directory):
    report = audit(str(directory))
    assert (report.faults, report.events, report.first, report.last, report.torn) == ([], 90, 1, 90, 0)
    assert report.segments == len(segments(directory)) > 5


def test_no_journal(tmp_path):
    report = audit(str(tmp_path / "none"))
    assert (report.faults, report.events, report.segments) == ([], 0, 0)


def test_what_retention_took_is_no_fault(directory):
    for path in segments(directory)[:3]:
        path.unlink()
    report = audit(str(directory))
    assert report.faults == [] and report.first > 1 and report.last == 90


def test_a_line_that_is_being_written_is_no_fault(directory):
    with open(segments(directory)[-1], "a") as file:
        file.write('{"n":91,"ti')
    report = audit(str(directory))
    assert report.faults == [] and report.torn == 11


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda found: found[2].unlink(), "was the last before it"),
        (lambda found: drop(found[0], 1), "event 2 follows 0"),
        (lambda found: (found[0].unlink(), drop(found[1], 1)), "follows"),
        (lambda found: found[2].rename(found[2].with_name("events-000000000999.jsonl")), "the name 999"),
        (lambda found: found[2].write_text(found[2].read_text()[5:]), "no header"),
        (lambda found: change(found[1], 2, n=77), "event 77 follows"),
        (lambda found: change(found[1], 2, position=-5), "behind"),
        (lambda found: change(found[1], 2, kind=3), "no event"),
        (lambda found: change(found[1], 2, prev={"session": 1, "pane": 0}), "was before it in its session"),
        (lambda found: found[1].write_text(found[1].read_text()[:-9]), "its end is missing"),
        (lambda found: change(found[2], 0, producers={"match/x/p1": [3, []]}), "the header says"),
    ],
)
def test_damage_is_told(directory, damage, told):
    damage(segments(directory))
    faults = audit(str(directory)).faults
    assert any(told in fault for fault in faults), faults


def test_an_event_that_is_written_twice_is_told(directory):
    path = segments(directory)[1]
    lines = path.read_text().splitlines()
    twice = next(index for index, line in enumerate(lines) if '"key":"s1"' in line)
    change(path, twice + 1, producer="match/x/p1", position=json.loads(lines[twice])["position"], key="s1")
    assert any("written twice" in fault for fault in audit(str(directory)).faults)


def test_a_ruin_is_not_told_without_end(directory):
    for path in segments(directory):
        path.write_text("x\n" * 200)
    assert len(audit(str(directory)).faults) == 100
