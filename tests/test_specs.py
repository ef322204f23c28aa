"""Actions as they are asked for: what is understood, and what is refused with which words."""

import functools

import pytest
from ctmux.services.matcher import options
from ctmux.shared import placeholders
from ctmux.shared.actions import NEEDS
from ctmux.shared.errors import UsageError
from ctmux.shared.specs import read, read_all
from ctmux.shared.summary import summary

RUN = {"do": "run", "argv": ["/bin/echo", "{line}"]}
OF_EACH = {
    "run": RUN, "shell": {"do": "shell", "text": 'echo "$CTMUX_LINE" ${line}'}, "send": {"do": "send", "text": "make"},
    "keys": {"do": "keys", "argv": ["C-c"]}, "signal": {"do": "signal", "signal": "INT"}, "kill": {"do": "kill"},
    "pane": {"do": "pane", "argv": ["/bin/cat", "{1}"]}, "webhook": {"do": "webhook", "url": "https://h.example/x"},
    "notify": {"do": "notify", "text": "{line}"}, "publish": {"do": "publish", "name": "a.b", "data": {"x": "{line}"}},
    "arm": {"do": "arm", "subscription": {"kind": "pattern", "patterns": ["x"], "actions": [RUN]}},
    "remove": {"do": "remove", "target": "s1"},
}  # fmt: skip


def test_there_is_one_of_each_kind_and_each_is_described():
    assert OF_EACH.keys() == NEEDS.keys()
    for given in OF_EACH.values():
        assert summary(read(given))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "a map with `do`"),
        ({"do": "fly"}, "run, shell, send"),
        ({"do": "run"}, "needs argv"),
        ({"do": "run", "argv": []}, "needs argv"),
        ({"do": "run", "argv": "echo"}, "list"),
        ({"do": "run", "argv": ["a", 1]}, "are texts"),
        ({"do": "run", "argv": ["a\0b"]}, "NUL"),
        ({"do": "run", "argv": ["{line}"]}, "what runs is fixed"),
        ({"do": "run", "argv": ["x"], "url": "http://x"}, "no 'url'"),
        ({"do": "run", "argv": ["x"], "cwd": "here"}, "absolute"),
        ({"do": "run", "argv": ["x"], "env": {"A=B": "c"}}, "letters, digits"),
        ({"do": "run", "argv": ["x"], "env": {"CTMUX_LINE": "c"}}, "is ours"),
        ({"do": "run", "argv": ["x"], "timeout": 0.0}, "above 0"),
        ({"do": "run", "argv": ["x"], "timeout": float("inf")}, "above 0"),
        ({"do": "run", "argv": ["x"], "concurrency": 0}, "1 to 256"),
        ({"do": "run", "argv": ["x"], "queue": 10**6}, "1 to 10000"),
        ({"do": "run", "argv": ["x"], "rate": [0, 1]}, "N/SECONDS"),
        ({"do": "run", "argv": ["x"], "rate": [1]}, "N/SECONDS"),
        ({"do": "run", "argv": ["x"], "rate": [10000, 0.001]}, "10000 a second"),
        ({"do": "run", "argv": ["x"], "deliver": "twice"}, "at-most-once or at-least-once"),
        ({"do": "shell", "text": "echo {line}"}, '"$CTMUX_LINE"'),
        ({"do": "shell", "text": "echo {1}"}, '"$CTMUX_GROUP_1"'),
        ({"do": "run", "argv": ["/bin/bash", "-lc", "echo {line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["env", "sh", "-c", "echo {match}"]}, "CTMUX_MATCH"),
        ({"do": "run", "argv": ["/usr/bin/python3.11", "-c", "print('{line}')"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["ruby", "-e{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["ssh", "host", "notify {line}"]}, "CTMUX_LINE"),
        ({"do": "webhook", "url": "http://u:p@host/"}, "no user and password"),
        ({"do": "webhook", "url": "http://host/{line}"}, "no placeholders ({line})"),
        ({"do": "run", "argv": ["tmux", "display-message", "{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["env", "A=1", "nice", "-n", "5", "/bin/{1}"]}, "CTMUX_GROUP_1"),
        ({"do": "run", "argv": ["awk", "{1}", "/etc/hostname"]}, "CTMUX_GROUP_1"),
        ({"do": "run", "argv": ["sed", "-e", "{1}"]}, "CTMUX_GROUP_1"),
        ({"do": "pane", "argv": ["ctmux", "pane", "exec", "{pane}", "{1}"]}, "CTMUX_GROUP_1"),
        ({"do": "run", "argv": ["tmux", "display-message", "-t", "{pane}", "{match}"]}, "CTMUX_MATCH"),
        ({"do": "run", "argv": ["ssh", "host", "tmux kill-session -t {session}"]}, "CTMUX_SESSION"),
        ({"do": "run", "argv": ["bash", "-cx", "{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["bash", "-c", "--", "{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["sh", "-c", "-e", "-o", "pipefail", "{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["bash", "-c", "+x", "{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["node", "-p", "{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["node", "-pe", "{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["su", "-c", "{line}", "me"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["script", "-c", "{line}"]}, "CTMUX_LINE"),
        ({"do": "pane", "argv": ["sh", "-c", "echo {line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["perl", "-ne{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["perl", "-I", "lib", "-0777ne{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["python3", "-Ic{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["python3", "-W", "ignore", "-Ic{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["env", "-S", "{line}"]}, "CTMUX_LINE"),
        ({"do": "run", "argv": ["env", "-u", "X", "-vS{line}"]}, "CTMUX_LINE"),
        ({"do": "pane", "argv": ["env", "--split-string={line}"]}, "CTMUX_LINE"),
        ({"do": "keys", "argv": ["{line}"]}, "no placeholders"),
        ({"do": "send", "text": "x" * 3001}, "3000"),
        ({"do": "signal", "signal": "SEGV"}, "INT"),
        ({"do": "kill", "to": "build"}, "%12"),
        ({"do": "webhook", "url": "file:///etc/passwd"}, "http://"),
        ({"do": "webhook", "url": "http://[::1/x"}, "Invalid IPv6"),
        ({"do": "webhook", "url": "http://[abc]/x"}, "webhook 'http://[abc]/x'"),
        ({"do": "webhook", "url": "https://x]y/"}, "Invalid IPv6"),
        ({"do": "webhook", "url": "http://x:y/"}, "Port"),
        ({"do": "webhook", "url": "http://x:70000/"}, "Port"),
        ({"do": "webhook", "url": "http://:80/"}, "http://"),
        ({"do": "publish", "name": "A b"}, "small letters"),
        ({"do": "arm", "subscription": {"patterns": ["x"]}}, "kind and patterns"),
        ({"do": "arm", "subscription": {"kind": "pattern", "actions": [{"do": "fly"}]}}, "run, shell"),
        ({"do": "arm", "subscription": {"kind": "idle", "pane": 3}}, "kind and patterns"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line_that_says_what_to_do(given, words):
    with pytest.raises(UsageError) as raised:
        read(given)
    assert words in str(raised.value) and "\n" not in str(raised.value)


def test_a_placeholder_must_be_known():
    assert read_all([RUN], ["x"])
    assert read_all([{"do": "run", "argv": ["x", "{value} {1}"]}], ["(?P<value>x)"])
    with pytest.raises(UsageError, match=r"no placeholder \{value\}.*\{\{value\}\}"):
        read_all([{"do": "run", "argv": ["x", "{value}"]}], ["x"])
    assert read_all([{"do": "run", "argv": ["x", "{{value}} { print } {} ${"]}], ["x"])


def test_data_as_an_argument_of_a_shell_is_data():
    assert placeholders.of(read({"do": "run", "argv": ["sh", "-c", 'echo "$1"', "x", "{line}"]})) == {"line"}
    assert read({"do": "run", "argv": ["bash", "-c", "-x", "--", 'echo "$1"', "x", "{line}"]})
    assert read({"do": "run", "argv": ["grep", "-e", "{match}", "file"]})
    assert read({"do": "run", "argv": ["tmux", "kill-pane", "-t", "{pane}"]})
    assert read({"do": "run", "argv": ["env", "A={line}", "timeout", "5", "logger", "{line}"]})


ON_STDIN = """\
bash -s; sh; /bin/bash -; bash -l; bash -eux; bash -o pipefail; bash -s x {line}; sh /dev/stdin
ssh host; ssh -oX=no host; ssh -p 22 -tt me@host; python3; python3.11 -; python3 -u; python3 -W ignore
python3 -EI /dev/fd/0; perl -w; perl -n; perl -I lib; ruby --; node; node -r x; php; lua -; tclsh
env -i A=1 sh; env -u X bash -s; nice -n 5 python3; sudo -u me bash; timeout -k 5 3s sh -s; busybox sh
nohup setsid bash; su; su -; su me; su - me"""
READ_AS_DATA = """\
bash script.sh; bash -x script.sh -s; bash -- script.sh; bash -c cat; bash -euo pipefail -c cat
bash --rcfile x y; sh --version; fish --command=cat; python3 -m mod; python3 -mmod -
python3 script.py {line}; python3 -u script.py -; python3 -W ignore -X dev x.py
python3 x.py -name={line}; python3 -Ic pass; perl -ne print; perl -lane print
perl -Mstrict -i.bak -pe x file; ruby -I lib x.rb; ruby -rjson -e x; node -e x; node -p x
node --eval=x; node --eval x; php -r x; php x.php; lua -e x; env A=1 sh -c cat; env python3 x.py
ssh host cat; ssh -p 22 host -- cat; ssh -oX=no host cat; ssh -N host; ssh -fN -L 1:h:2 host; ssh -O exit host
sudo -u me logger; timeout 5 cat; nice cat; su -c cat me; su me -c cat; su - me --command=cat
logger bash; echo sh; systemctl restart ssh; pkill python3; which perl; jq .n; cat"""


def words(text):
    return [pytest.param(line.split(), id=line.strip()) for line in text.replace("\n", ";").split(";")]


@pytest.mark.parametrize("argv", words(ON_STDIN))
def test_what_reads_its_program_from_stdin_would_run_the_event(argv):
    with pytest.raises(UsageError, match="would run what is on stdin, the event; give it a script"):
        read({"do": "run", "argv": argv})
    assert read({"do": "pane", "argv": argv})  # there stdin is the terminal


@pytest.mark.parametrize("argv", words(READ_AS_DATA))
def test_what_reads_the_event_as_data_is_not_refused(argv):
    assert read({"do": "run", "argv": argv})


def test_actions_that_arm_actions_end():
    given = RUN
    for _ in range(4):
        given = {"do": "arm", "subscription": {"kind": "pattern", "patterns": ["x"], "actions": [given]}}
    with pytest.raises(UsageError, match="at most 3"):
        read(given)
    with pytest.raises(UsageError, match="up to 16"):
        read_all([RUN] * 17)


@pytest.mark.parametrize("value", [float("nan"), b"\xff", {b"key": 1}, [float("inf")], "deep"])
def test_what_no_event_could_tell_is_refused(value):
    if value == "deep":
        value = functools.reduce(lambda inner, _: [inner], range(400), 1)
    publish = {"do": "publish", "name": "x", "data": value}
    with pytest.raises(UsageError, match="options: "):
        options.read("pattern", ["x"], {"actions": [publish]})


def test_a_group_that_no_pattern_has_is_refused():
    for group, patterns in (("9", ["(a)(b)"]), ("3", ["(a)(?P<v>b)(?:c)"]), ("1", [""]), ("0", ["(a)"])):
        with pytest.raises(UsageError, match="so many groups"):
            read_all([{"do": "run", "argv": ["x", f"{{{group}}}"]}], patterns)
    assert read_all([{"do": "run", "argv": ["x", "{2}"]}], ["a", "(a)(?P<v>b)"])


def test_a_kill_is_said_as_it_is():
    assert [summary(read({"do": "kill", **to})) for to in ({}, {"to": "%3"})] == ["kill the pane of the event", "kill %3"]
