"""Terminal output and patterns as grammars, and what damages them: from a `random.Random`, so that a seed repeats it."""

from random import Random

WORDS = (
    "foo", "Foo", "bar", "error", "ERROR", "warning:", "took 12ms", "id=7", "été", "ÉTÉ", "日本", "e\u0301", "👩\u200d🚀",
    "\u212aelvin", "kelvin", "fo\u017fsil", "fossil", "\u017fe\u017f\u017fion", "kiss", "a", "b", "k", " ", "  ", "\t",
    "x=1", "login: ", "[Y/n] ", "/usr/bin", "50%", "1.2.3", "\ufffd",
)  # fmt: skip
RARE = ("zebra", "yacht", "xenon", "walnut")
SEQUENCES = (
    b"\x1b[31m", b"\x1b[0m", b"\x1b[K", b"\x1b[2;5H", b"\x1b[38;5;200m", b"\x1b]0;foo bar\x07",
    b"\x1b]8;;http://error\x1b\\", b"\x1b]133;A\x07", b"\x1b]133;D;1\x07", b"\x1b[?2004h", b"\x1b[?2004l",
    b"\x1bPq#0foo\x1b\\", b"\x1b_error\x1b\\", b"\x1b(B", b"\x1b7", b"\x1b=", b"\x1b[?25l", b"\x1b[>4;2m",
)  # fmt: skip
SWITCHES = (b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?47h", b"\x1b[?47l", b"\x1b[?25;1047h", b"\x1b[?1047;25l")
DAMAGED = (
    b"\x1b", b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b[?", b"\x1b[?10", b"49h", b"\x1b]0;foo", b"\x9b31m", b"\xff", b"\xc3",
    b"\xa9", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f", b"\0", b"\x07", b"\x7f", b"\x08", b"\x08\x08", b"o\x08o",
    b"\x0b\x0c", b"\x85",
)  # fmt: skip
ENDS = (b"\n", b"\n", b"\r\n", b"\r\n", b"\r\n", b"\r", b"\r\r\n", b"\n\r", b"\n\n")


def output(random: Random, switches: bool) -> bytes:
    """What a pane printed: up to some hundred pieces, mostly lines of words in colours."""
    kinds = [
        (5, _word),
        (2, lambda r: r.choice(SEQUENCES)),
        (2, lambda r: r.choice(ENDS)),
        (0.4, lambda r: r.choice(DAMAGED)),
    ]
    if switches:
        kinds.append((0.15, lambda r: r.choice(SWITCHES)))
    if random.random() < 0.1:  # a storm
        kinds.append((20, lambda r: b"error foo "))
    if random.random() < 0.1:  # lines that are cut
        kinds[2] = (0.01, kinds[2][1])
    weights, makers = zip(*kinds, strict=True)
    pieces = [make(random) for make in random.choices(makers, weights, k=random.choice((3, 20, 100, 600)))]
    made = bytearray(b"".join(pieces))
    for _ in range(random.choice((0, 0, 1, 5))):
        _damage(random, made)
    if not switches:  # damage may have made one
        return bytes(made).replace(b"\x1b[?", b"\x1b[>")
    return bytes(made)


def _word(random: Random) -> bytes:
    return random.choice(WORDS).encode()


def _damage(random: Random, made: bytearray) -> None:
    at = random.randrange(len(made) + 1)
    length = random.randrange(8)
    deed = random.randrange(4)
    if deed == 0:
        del made[at : at + length]
    elif deed == 1:
        made[at:at] = made[at : at + length] * random.randrange(4)
    elif deed == 2:
        made[at:at] = random.randbytes(length)
    elif at < len(made):
        made[at] ^= 1 << random.randrange(8)


def pattern(random: Random) -> str:
    """A pattern, which RE2 may refuse."""
    made = _alternatives(random, 3)
    if random.random() < 0.1:
        made = "|".join(random.sample(RARE, random.randrange(1, 4)))
    if random.random() < 0.25:
        made = random.choice(("(?i)", "(?i)", "(?s)", "(?U)", "(?im)")) + made
    if random.random() < 0.15:
        at = random.randrange(len(made) + 1)
        made = made[:at] + random.choice(r"()[]{}?*+|^$\.,-:QEAz1é ") + made[at + random.randrange(2) :]
    return made


def _alternatives(random: Random, depth: int) -> str:
    return "|".join(_sequence(random, depth) for _ in range(random.choice((1, 1, 1, 1, 2, 3))))


def _sequence(random: Random, depth: int) -> str:
    return "".join(_part(random, depth) for _ in range(random.randrange(1, 4)))


def _part(random: Random, depth: int) -> str:
    kind = random.random()
    if kind < 0.5 or not depth:
        part = random.choice(WORDS).replace(".", r"\.")
        part = part[random.randrange(len(part)) :] if kind < 0.2 else part
        return part if kind < 0.4 else part + random.choice(("*", "+", "?", "{2}", "{1,3}", "+?"))
    if kind < 0.65:
        return random.choice(
            (".", r"\d", r"\w+", r"\S+", r"\s", r"\D", r"\W", "[a-f]", "[^a]", "[eé]", "[[:alpha:]]", r"\pL", r"\x6f",
             r"\x{1F469}", r"\Qfoo.\E", ".*", ".+?", r"[\d.]+", r"[\x{FFFD}]", "(?i:K)", r"\101", "[]a]", "[kK]")
        )  # fmt: skip
    if kind < 0.75:
        return random.choice((r"\b", "^", "$", r"\B", r"\A", r"\z"))
    opening = random.choice(("(", "(?:", f"(?P<n{random.randrange(1000)}>", "(?i:", "(?s:", "(?i-s:"))
    return f"{opening}{_alternatives(random, depth - 1)})" + random.choice(("", "", "", "?", "*", "+", "{0,2}", "{2}"))
