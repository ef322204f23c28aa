"""Terminal output made text: no escape survives, no text is lost, and lines stay where they are."""

import re
from itertools import pairwise

import pytest
from ctmux.shared.terminal import clean, cut, line_spans, line_starts
from hypothesis import given
from hypothesis import strategies as st

PIECES = st.sampled_from(
    [b"a", b"\xc3\xa9", b"\xe2\x82", b" ", b"\r", b"\n", b"\r\n", b"\x08", b"\x07", b"\t", b"\x00", b"\x7f", b"\x1b",
     b"[", b"]", b"P", b"\\", b"\x1b[31m", b"\x1b[", b"1;2", b"m", b"?", b"\x1b]0;title\x07", b"\x1b]8;;x\x1b\\",
     b"\x1bPq#1", b"\x1b(B", b"\x9b", b"\x80"],
)  # fmt: skip
RAW = st.lists(PIECES, max_size=30).map(b"".join) | st.binary(max_size=60)


@given(RAW)
def test_a_line_stays_at_its_separator(raw):
    text = clean(raw)
    assert text.count(b"\n") == raw.count(b"\r") + raw.count(b"\n")
    assert len(line_starts(raw)) == text.count(b"\n") + 2


@given(RAW)
def test_line_k_is_what_is_in_raw_from_its_start(raw):
    for text, (start, end) in zip(clean(raw).split(b"\n"), pairwise(line_starts(raw)), strict=True):
        assert clean(raw[start:end]).rstrip(b"\n") == text
        assert end == len(raw) + 1 or raw[end - 1 : end] in (b"\r", b"\n")


@given(RAW, st.sets(st.integers(0, 30), max_size=8))
def test_the_places_of_some_lines(raw, lines):
    starts = line_starts(raw)
    wanted = {line for line in lines if line < len(starts) - 1}
    assert line_spans(raw, wanted) == {n: (starts[n], min(starts[n + 1], len(raw))) for n in wanted}


@given(RAW)
def test_no_control_byte_is_left_but_tabs(raw):
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", clean(raw))


@given(RAW)
def test_clean_text_stays(raw):
    assert clean(clean(raw)) == clean(raw)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_text_of_any_language_stays(text):
    assert clean(text.encode()).decode() == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[1;31merror\x1b[0m: x", b"error: x"),
        (b"\x1b[38:2::1:2:3mx", b"x"),
        (b"\x1b[?2004hprompt", b"prompt"),
        (b"\x1b[>4;1mx\x1b[ qy", b"xy"),
        (b"\x1b]0;title\x07x", b"x"),
        (b"\x1b]0;title\x1b\\x", b"x"),
        (b"\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", b"link"),
        (b"\x1bP1$r0m\x1b\\x", b"x"),
        (b"\x1b_Gf=24;AAAA\x1b\\x", b"x"),
        (b"\x1bkdeploy\x1b\\out", b"out"),
        (b"building" + b"." * 10 + b"\x08" * 10 + b"done", b"buildingdone"),
        (b"p [##########]" + b"\x08" * 12 + b"[          ]", b"p [          ]"),
        (b"\x1b(Bx\x1b)0y\x1b=z\x1b7", b"xyz"),
        (b"a\x07b\x00c\x0ed", b"abcd"),
        (b"a\tb", b"a\tb"),
        (b"b\x08bo\x08ol\x08ld\x08d", b"bold"),
        (b"_\x08u_\x08n", b"un"),
        (b"\xc3\xa9\x08\xc3\xa9", b"\xc3\xa9"),
        (b"abc\x08\x08\x08xyz", b"xyz"),
        (b"\x08\x08a", b"a"),
        (b"\x1b[31\x08mx", b"mx"),
        (b"10%\r20%\r\ndone\n", b"10%\n20%\n\ndone\n"),
        (b"\xff\xfe\x9b1m", b"\xff\xfe\x9b1m"),
    ],
)
def test_clean(raw, text):
    assert clean(raw) == text


@pytest.mark.parametrize(
    "begun", [b"\x1b", b"\x1b[", b"\x1b[31", b"\x1b[31 ", b"\x1b]0;title", b"\x1bP", b"\x1b_", b"\x1b("]
)
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_unterminated_sequence_swallows_its_line_only(begun, end):
    assert clean(b"a\n" + begun + end + b"next\n").split(b"\n")[-2] == b"next"


@given(st.lists(st.sampled_from([b"a", b"b", b"\xc3\xa9", b"\x08", b"\x08" * 9, b"\t", b"\n"]), max_size=40))
def test_a_backspace_takes_the_character_before_it(parts):
    lines = [[]]
    for part in parts:
        if part == b"\n":
            lines.append([])
        elif part[:1] != b"\x08":
            lines[-1].append(part)
        else:
            for _ in part:
                if lines[-1] and lines[-1][-1] not in (b"\t", b"\x08"):
                    lines[-1].pop()
                else:
                    lines[-1].append(b"\x08")  # takes nothing, and those behind it have nothing to take
    assert clean(b"".join(parts)) == b"\n".join(b"".join(line).replace(b"\x08", b"") for line in lines)


@given(RAW)
def test_cut_leaves_no_whole_line(raw):
    length = cut(raw)
    whole, rest = raw[:length], raw[length:]
    assert not whole or whole[-1:] in (b"\r", b"\n")
    assert b"\n" not in rest and b"\r" not in rest[:-1]
    assert not (whole.endswith(b"\r") and rest.startswith(b"\n"))


@pytest.mark.parametrize(
    ("data", "length"),
    [(b"", 0), (b"a", 0), (b"a\n", 2), (b"a\r", 0), (b"\r", 0), (b"a\rb", 2), (b"a\r\n", 3), (b"a\nb\r", 2)],
)
def test_cut(data, length):
    assert cut(data) == length
