r"""What the matcher finds is what Python's `re` finds in each line, whatever the chunks: 200 patterns over a corpus.

Not compared, because RE2 and `re` define them differently: Unicode `\d \w \s \b` (RE2's are ASCII: `re.ASCII` here); `\Z`
and `\z`; (?i) beside characters outside ASCII (`re.ASCII` folds only ASCII; without it `re` folds as RE2 does, but then
`\w` differs: FOLDED has those that agree); repetitions of what may be empty, whose captures differ. Never compared with a
match that is empty: the matcher takes the first that is not, so `by_re` does, too. `$` is no difference: lines have no end.
"""

import json
import random
import re
from pathlib import Path

import pytest
from ctmux.services.matcher import pattern, visible
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import terminal
from ctmux.shared.errors import UsageError

WORDS = ("build", "cache", "core", "error", "warning", "netlink", "render_io")
LITERALS = (
    "error", "warning:", "Compiling", "PASSED", "took ", "status=ok", "unused variable", "✓", "日本語", "été", "login:",
    "[Y/n]", "100%", "###", "…", "👩", "e\u0301", "k", "a", " ", "\t", "\ufffd", "src/", "INFO", "::test_", "no such text",
)  # fmt: skip
PARTS = (
    "error", "build", "took", r"\d+", r"\w+", r"\S+", r"\s", "[a-f]", "[^a-z]", ".", r"\.", "[0-9]{2}", "o{1,2}", r"\W",
    r"\D", "é", "[é日]", "(?:co|ca)", r"(\w)", r"(\d+)ms", "=", "%",
)  # fmt: skip
WRITTEN = (
    "error|warning", "(error|warning): (.*)", "^src/", r"^\S+\.c:\d+", "ok$", r"%$", "^$|x", r"\berror\b", r"\bt\w+",
    r"\Bo", "(?i)ERROR", "(?i)passed", "(?i:Warn)ing", "(?i)^info", r"\[\s*(\d+)%\]",
    r"(?P<file>[\w/]+)\.c:(?P<line>\d+):(\d+)", r"(?P<k>\w+)=(?P<v>\w+)", r"id=(\d+) took (\d+)ms", "(a)|(b)|(c)",
    r"(x)?o", "(b|bu|bui)ld", "(bu|build)", "a+?", "a{2,3}", "o{2}", ".{5}", ".+", ".*o", "(.*)=(.*)", "(.*?)=(.*?)",
    r"\d{1,3}", r"\d{3,}", r"v\d\.\d+\.\d+", r"[^\x00-\x7f]+", "[é-日]", "été|日本", "^✓", r"^\s*✓ (\w+)", "(?:ab|cd){2}",
    "#{5,10}", "#+ ", r"(#+)\s+\]", "[^ ]+$", r"\S+\s\S+$", r"^\W", r"[\w-]+-[\w-]+", r"\x41", r"\t", "e\u0301", "👩.",
    "(?s).o", r"(?P<all>.+)", "(?:)a", "(?:(?:(?:error)))", r"\\", r"\$ ", r"\?", "a|", "x|error|", r"[\]]", "[-a]",
    "[a-]", r"[\d-]+", "(?i)[a-c]x", "(((e)r)r)", r"\+|\*",
)  # fmt: skip
FOLDED = ("(?i)ÉTÉ", "(?i)é", "(?i)straße", "(?i)KISS", "(?i)[é]t", "(?i)\u017f", "(?i)k", "(?i:É)té", "(?i)αβγ")


def corpus(random_):
    """Lines of a build, and the ends of lines."""
    made = []
    for number in range(400):
        word, other = random_.choice(WORDS), random_.choice(WORDS)
        made.append(
            random_.choice(
                (
                    f"\x1b[32m   Compiling\x1b[0m {word}-{other} v{number % 9}.{number % 13}.1 (/src/{word})\r\n",
                    f"src/{word}/{other}.c:{number}:{number % 80}: \x1b[1;35mwarn\x1b[0ming: unused variable '{other}'\r\n",
                    f"\r\x1b[K[{'#' * (number % 30):30s}] {number % 100}% {word}",
                    f"2026-11-22T10:{number % 60:02d}:00Z INFO {word}.{other} id={number} took {number}ms status=ok\n",
                    f"✓ {word} - été 日本語 ÉTÉ KISS \u212aelvin \u017fo straße \u0391\u0392\u03b3… ({number} ms)\r\n",
                    "\x1b]0;error in a title\x07$ make\x1b[?2004l\r\nlogin: ",
                    "man\x08n\x08nual e\u0301 👩\u200d🚀\tlast\r\n", "\r\n", "\n", "\r",
                    "abab cdcd aaa \\ * + ? [x] $ 1\r\n",
                )
            ).encode()
        )  # fmt: skip
        if number % 40 == 0:
            made.append(b"bad \xff\xc3 utf8 \xe2\x82 error\xed\xa0\x80\r\n")
    return b"".join(made) + b"password: "


def recorded():
    """The output of asciicast v2 files, if there are any: https://docs.asciinema.org/manual/asciicast/v2/"""
    for path in sorted((Path(__file__).parent / "data" / "recordings").glob("*.cast")):
        events = [json.loads(line) for line in path.read_text().splitlines()[1:] if line.strip()]
        yield path.name, "".join(data for _time, kind, data in events if kind == "o").encode()


def drawn(random_, count):
    made = set()
    while len(made) < count:
        one = "".join(random_.choices(PARTS, k=random_.randrange(2, 5)))
        try:
            pattern.check(one)
        except UsageError:
            continue
        made.add(one)
    return sorted(made)


def accepted(written):
    try:
        pattern.check(written)
    except UsageError:
        return False
    return True


ALL = list(dict.fromkeys([*map(re.escape, LITERALS), *filter(accepted, WRITTEN), *drawn(random.Random(1), 120)]))
TEXTS = [("build", corpus(random.Random(1))), *recorded()]


def by_re(raw, patterns, flags):
    """(pattern, where the line begins, match, captures, named) of each line for itself."""
    found = set()
    shown = visible.parts(raw, visible.State())[0]  # which keeps all line ends
    starts, seen = (list(re.finditer(rb"[^\r\n]*[\r\n]|[^\r\n]+", text)) for text in (raw, shown))
    lines = [(each.start(), text[0]) for each, text in zip(starts, seen, strict=False)]
    cleaned = [(start, terminal.clean(line).strip(b"\n").decode(errors="replace")) for start, line in lines]
    for one in patterns:
        compiled = re.compile(one, flags)
        for start, line in cleaned:
            match = next((match for match in compiled.finditer(line) if match[0]), None)
            if match:
                found.add((one, start, line, match[0], match.groups(), tuple(match.groupdict().items())))
    return found


def by_matcher(raw, patterns, size):
    engine, index, state = Engine(), Index(), StreamState("s", "$1", "%1", "p1.2.w3.k", 0)
    for number, one in enumerate(patterns):
        engine.add(one)
        index.add(Subscription(f"s{number}", number, "pattern", [one], None, None, None, "", 0.0))
    hits = []
    for at in range(0, len(raw), size):
        for block in state.lines.feed(raw[at : at + size]):
            hits += state.hits(block, engine, index, Governor())
    last = state.lines.flush()
    hits += state.hits(last, engine, index, Governor()) if last else []
    found = []
    for hit in hits:
        _line, _start, text, captures, named = hit.match
        found.append((hit.subscription.patterns[0], hit.offset, hit.line, text, tuple(captures), tuple(named.items())))
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("name", [name for name, _raw in TEXTS])
def test_the_matcher_finds_what_re_finds_line_by_line(name):
    raw = dict(TEXTS)[name]
    for patterns, flags in ((ALL, re.ASCII), (FOLDED, 0)):
        expected = by_re(raw, patterns, flags)
        for size in (1, 7, 100, 4096, len(raw)):
            found = by_matcher(raw, patterns, size)
            assert found == expected, (size, sorted(found ^ expected)[:3])


def test_there_are_enough_patterns_and_most_match():
    assert len(ALL) >= 200
    assert len({one for one, *_rest in by_re(TEXTS[0][1], ALL, re.ASCII)}) > 0.5 * len(ALL)
