"""What nobody should print or wait for: it is refused with a reason, or costs little, counted in searches and bytes.

Nothing is timed here: bench/hostile.py prints the longest time that a line of 4 KB takes.
"""

import random

import pytest
from ctmux.services.matcher import pattern
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.lines import LINE_MAX
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import terminal
from ctmux.shared.errors import UsageError

# ---- patterns ------------------------------------------------------------------------------------------------------

ALLOWED = (
    r"(a+)+$", r"(a|aa)+$", r"(.*)*x", r"(\w+\s?)*!", r".*.*.*=.*;", r"(x+x+)+y", r"(((a{0,9}){0,9}b?){0,9})c",
    r"(a|b|ab)*c", r".{0,100}x.{0,100}y", r"[ab]*a[ab]{150}c", "(?i)(k){1,90}z", "a{1000}",
    "|".join(f"w{n}" for n in range(300)), "x" * 900, r"(?:(?:(?:(?:a?)?)?)?)?b", r"\x{10FFFF}",
    "(" * 100 + "a" + ")" * 100, "[" + "a-z" * 1000 + "]x", r"\C\C\Cx", "é" * 400,
)  # fmt: skip
REFUSED = (
    r"((a{1,100}){1,100}){1,100}", "a{1001}", r".{0,500}x.{0,500}y", r"\pL{500}x", "(a|b){1000}c{1000}", "x" * 4097,
    "a\0b", "(?=a)b", r"(a)\1", "(a*)*", "()", "a{,5}*?|", "(" * 2000 + "a" + ")" * 2000,
    "|".join(f"alternative {n}" for n in range(2000)), "a\udcff", "[z-a]", r"\8", "a**", "(?<=a)b", "(?-m)^a", r"a\nb",
    "[[:nothing:]]", r"\pQ", "(?P<>a)", "\\",
)  # fmt: skip


@pytest.mark.parametrize("written", ALLOWED, ids=lambda text: text[:20])
def test_what_is_hard_for_others_is_small_here(written):
    pattern.check(written)
    assert pattern.cost(written) <= 2000  # instructions: RE2's time is at most text times this


@pytest.mark.parametrize("written", REFUSED, ids=lambda text: text[:20].encode("ascii", "backslashreplace").decode())
def test_what_is_too_large_or_wrong_is_refused_with_a_reason(written):
    with pytest.raises(UsageError, match=r"^pattern"):
        pattern.check(written)


# ---- output --------------------------------------------------------------------------------------------------------

_random = random.Random(1)
SIZE = 20_000
OUTPUT = {
    "all ESC": b"\x1b" * SIZE,
    "CSI": b"\x1b[" * SIZE,
    "CSI without an end": b"\x1b[" + b"1;" * SIZE,
    "modes": b"\x1b[?" + b"1049;" * SIZE,
    "half of modes": b"\x1b[?10" * SIZE,
    "switches": b"\x1b[?1049h\x1b[?1049l" * 2000,
    "OSC without an end": b"\x1b]0;" + b"foo" * SIZE,
    "many OSC without an end": b"\x1b]0;foo" * SIZE,
    "DCS without an end": b"\x1bP" + b"q#0" * SIZE,
    "OSC 133": b"\x1b]133;\x07\x1b]133;Z;;;\x1b\\\x1b]133;D;99999999999999999999\x07\x1b]133;A;" * 1000,
    "?2004": b"\x1b[?2004\x1b[?2004x\x1b[?;2004;h\x1b[?2004l\x1b[?2004h" * 1000,
    "NUL": b"\0" * SIZE,
    "lone CR": b"\r" * 100_000,
    "lone LF": b"\n" * 100_000,
    "backspaces": b"\x08" * SIZE,
    "letters and backspaces": b"a" * SIZE + b"\x08" * SIZE,
    "overstruck": b"a\x08" * SIZE,
    "invalid UTF-8": b"\xff\xc3\xe2\x82" * SIZE,
    "surrogates": b"\xed\xa0\x80" * SIZE,
    "combining": b"e" + "\u0301".encode() * SIZE,
    "no line end": b"x" * (1 << 20),
    "no line end, in colours": b"\x1b[31mfoo" * (1 << 17),
    "random": _random.randbytes(1 << 18),
    "random, no line end": _random.randbytes(1 << 18).translate(None, b"\r\n"),
    "C1": bytes(range(0x80, 0xA0)) * 1000,
    "a storm": b"foo error " * SIZE,
    "a storm of lines": b"foo error\r\n" * 10_000,
}
WANTED = ("foo", "(?i)error$", ".+", r"(\w+) (\w+)", "é", r"\x{FFFD}", r"\d{5}", r"foo.*never", "zzz")


class Meter(Governor):
    """Counts searches and the bytes that they went through."""

    def __init__(self):
        super().__init__(lambda: 0.0)
        self.searches = self.bytes = 0

    def charge(self, _pattern, _seconds, size, _matches):
        self.searches += 1
        self.bytes += size


def hits(raw, size):
    engine, index, state, meter = Engine(), Index(), StreamState("s", "$1", "%1", "p1.2.w3.k", 0), Meter()
    for number, one in enumerate(WANTED):
        engine.add(one)
        index.add(Subscription(f"s{number}", number, "pattern", [one], None, None, None, "", 0.0))
    found, blocks = [], 0
    for at in range(0, len(raw), size):
        for block in state.lines.feed(raw[at : at + size]):
            blocks += 1
            found += state.hits(block, engine, index, meter)
        assert len(state.lines.tail) <= LINE_MAX + 1
    last = state.lines.flush()
    found += state.hits(last, engine, index, meter) if last else []
    assert meter.searches <= len(WANTED) * (blocks + 1)
    assert meter.bytes <= len(WANTED) * 3 * len(raw)  # U+FFFD is three bytes
    return found


@pytest.mark.parametrize("name", OUTPUT)
def test_no_output_is_an_accident(name):
    raw = OUTPUT[name] + b"\x1b[?2004l\r\nlast foo\r\n"  # nobody reads any more: else it would be typed
    for size in (4096, 65536):
        found = hits(raw, size)
        places = [(hit.subscription.id, hit.offset) for hit in found]
        assert len(places) == len(set(places))
        assert ("last foo", len(raw)) in {(hit.line, hit.end + 1) for hit in found}  # and what follows is found
        for hit in found:
            assert not {ord(char) for char in hit.line} & ({*range(32), 127} - {9})
            assert hit.match.text in hit.line


@pytest.mark.parametrize("name", OUTPUT)
def test_cleaning_leaves_no_control_characters_and_keeps_every_line_end(name):
    raw = OUTPUT[name]
    cleaned = terminal.clean(raw)
    assert not set(cleaned) & (set(range(32)) - {9, 10} | {127})
    assert cleaned.count(b"\n") == raw.count(b"\n") + raw.count(b"\r")
