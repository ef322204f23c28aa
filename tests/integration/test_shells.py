"""Real shells: nothing typed and no prompt fires, whatever tells them apart; commands as facts, by the snippets."""

import os
import re
import shlex
import shutil
from pathlib import Path

import ctmux
import pytest
from ctmux.services.matcher.commands import Commands, Fact, Finished, Started
from ctmux.shared import terminal
from guest import Guest
from harness import until

SNIPPETS = f"{Path(ctmux.__file__).parent}/cli/shell/ctmux"


class Shell:
    """A pane with an interactive shell, whose rc file is given; it stands at its prompt."""

    def __init__(self, guest: Guest, name: str, rc: str, prompt: str = "needle"):
        if not shutil.which(name) and not os.environ.get("CI"):
            pytest.skip(f"no {name}")
        self.guest, self.name = guest, name
        home = Path(f"{guest.root}/home-{name}")
        start = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish", "dash": ".shrc"}[name]
        (home / start).parent.mkdir(parents=True)
        (home / start).write_text(rc)
        (home / "fish" / "generated_completions").mkdir(
            parents=True
        )  # else fish makes them, in the background, of all pages
        variables = f"HOME={home} XDG_CONFIG_HOME={home}/.config XDG_DATA_HOME={home} ENV={home}/.shrc"
        self.pane = guest.tmux(
            "new-window", "-d", "-t", "main:", "-c", str(home), "-P", "-F", "#{pane_id}", f"exec env {variables} {name}"
        )
        until(lambda: prompt.encode() in self.printed())

    def printed(self) -> bytes:
        return b"".join(Path(found.path).read_bytes() for found in self.guest.spools(self.pane))

    def keys(self, *keys: str) -> None:
        self.guest.tmux("send-keys", "-t", self.pane, *keys)

    def send(self, text: str, *keys: str) -> int:
        """Type; the place in its output behind which the effect of that is."""
        place = len(self.printed())
        if text:
            self.keys("-l", text)
        self.keys(*keys)
        return place

    def run(self, text: str, answer: str) -> None:
        """Type a command and wait for what it prints, and for the prompt behind that."""
        self.until_ready(self.send(text, "Enter"), answer)

    def until_ready(self, place: int, answer: str) -> None:
        ready = {"dash": "$ ", "fish": "> \x1b[K"}.get(self.name, "\x1b[?2004h")

        def look() -> bool:
            new = self.printed()[place:]
            return answer.encode() in new and ready.encode() in new[new.index(answer.encode()) :]

        until(look)

    def facts(self) -> list[Fact]:
        return Commands().feed(self.printed(), 0, lambda _end: 0.0)

    def finished(self, count: int) -> list[Finished]:
        """The commands, when there are so many."""

        def look() -> list[Finished]:
            return [fact for fact in self.facts() if isinstance(fact, Finished)]

        until(lambda: len(look()) >= count)
        return look()


def init(name: str, times: int = 1) -> str:
    """The line of a rc file that loads the snippet."""
    return f". {shlex.quote(f'{SNIPPETS}.{name}')}\n" * times


PROMPTS = {
    "bash": "PS1='needle \\$ '\n",
    "zsh": "PROMPT='needle %# '\n",
    "fish": "function fish_prompt; echo -n 'needle > '; end\nset -g fish_greeting\n",
    "dash": "PS1='$ '\n",
}


def lines(guest: Guest, subscription: str) -> list[str]:
    return [e["data"]["line"].strip() for e in guest.events("pattern.matched") if e["subscription"] == subscription]


@pytest.mark.parametrize("marks", [False, True])
@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_prompts_and_what_is_typed_fire_nothing(guest: Guest, name: str, marks: bool) -> None:
    shell = Shell(guest, name, PROMPTS[name] + init(name) * marks)
    armed = guest.ctmux("subscribe", "pattern", "needle", "--pane", shell.pane).stdout.strip()
    end = guest.ctmux("subscribe", "pattern", "^sentinel", "--pane", shell.pane).stdout.strip()
    shell.run(": needle; echo don''e-1", "done-1")
    shell.run("echo need''le-a; : needle; echo don''e-2", "done-2")
    place = shell.send("", "Up")
    until(lambda: b"needle" in shell.printed()[place:])
    shell.until_ready(shell.send("", "C-c"), "")
    guest.tmux("resize-window", "-t", shell.pane, "-x", "70")
    shell.run("printf 'need''le-b'", "needle-b")
    shell.run("echo; echo sen''tinel", "sentinel")
    until(lambda: lines(guest, end))
    assert [line.rstrip("⏎%# ") for line in lines(guest, armed)] == ["needle-a", "needle-b"]


def test_where_nothing_marks_it_what_we_type_fires_nothing(guest: Guest) -> None:
    shell = Shell(guest, "dash", PROMPTS["dash"], "$ ")
    armed = guest.ctmux("subscribe", "pattern", "needle", "--pane", shell.pane).stdout.strip()
    end = guest.ctmux("subscribe", "pattern", "^sentinel", "--pane", shell.pane).stdout.strip()
    guest.ctmux("pane", "exec", shell.pane, "echo need''le-a; : needle; echo don''e-1")
    shell.until_ready(0, "done-1")
    guest.ctmux("pane", "send-keys", shell.pane, "cat needle", "Enter")
    shell.until_ready(0, "No such file")
    guest.ctmux("pane", "exec", shell.pane, "cat")
    guest.ctmux("pane", "exec", shell.pane, "needle-b")  # the terminal's echo, then cat's
    until(lambda: shell.printed().count(b"needle-b") == 2)
    shell.keys("C-d")
    shell.run("echo sen''tinel", "sentinel")
    until(lambda: lines(guest, end))
    assert lines(guest, armed)[0] == "needle-a" and lines(guest, armed)[2:] == ["needle-b"]
    assert "No such file" in lines(guest, armed)[1]


def test_who_waits_for_commands_is_told_that_no_shell_marks_them(guest: Guest) -> None:
    plain, marking = Shell(guest, "dash", PROMPTS["dash"], "$ "), Shell(guest, "bash", PROMPTS["bash"] + init("bash"))
    waiting = guest.ctmux("subscribe", "command", "--session", "main").stdout.strip()
    marking.run("echo don''e", "done")
    plain.run("echo don''e", "done")
    until(lambda: not _speaks(_why(guest, waiting), marking))
    why = _why(guest, waiting)
    assert _speaks(why, plain) and "ctmux shell-init --help" in " ".join(why)


def _why(guest: Guest, subscription: str) -> list[str]:
    found: list[str] = guest.data("subscription", "explain", subscription)["why"]
    return found


def _speaks(why: list[str], shell: Shell) -> bool:
    return any(sentence.startswith(f"{shell.pane}: no shell there has marked") for sentence in why)


HOOKS = {
    "string": "PROMPT_COMMAND='last=$?; n=$((n+1)); PS1=\"needle $n $last \\$ \"'\n",
    "array": "PROMPT_COMMAND=('last=$?; n=$((n+1))' 'PS1=\"needle $n $last \\$ \"')\n",
    "comment": "n=1; last=0; PS1='needle 1 $last \\$ '; PROMPT_COMMAND='last=$?; n=$((n+1)) # mine'\n",
}


@pytest.mark.parametrize("rc", ["bash-string", "bash-array", "bash-comment", "zsh", "fish"])
def test_commands_are_facts(guest: Guest, rc: str) -> None:
    name, _, hook = rc.partition("-")
    before = {
        "bash": "HISTCONTROL=ignoreboth\n" + HOOKS.get(hook, ""),
        "zsh": 'precmd() { last=$?; (( n++ )); PROMPT="needle $n $last %# " }\nsetopt hist_ignore_space\n',
        "fish": 'function fish_prompt; set last $status; echo -n "needle $last > "; end\nset -g fish_greeting\n',
    }[name]
    shell = Shell(guest, name, before + init(name, 2))
    status, loop = ("$status", "echo $i\nend") if name == "fish" else ("$?", "do echo $i\ndone")
    typed = ["cd /tmp", "echo 'a b' é; sh -c 'exit 3'", f"echo code {status}", *["printf x"] * 2, " printf y%s 'needle'"]
    for number, text in enumerate([*typed, f"for i in 1 2\n{loop}"]):
        for line in text.split("\n"):
            shell.keys("-l", line)
            shell.keys("Enter")
        shell.finished(number + 1)
    done = shell.finished(7)
    raw = shell.printed()
    home = os.path.realpath(f"{guest.root}/home-{name}")
    assert [(fact.text.strip(), fact.exit_code) for fact in done[:6]] == [
        (text.strip(), 3 if "exit 3" in text else 0) for text in typed
    ]
    assert [os.path.realpath(fact.cwd or "") for fact in done] == [home, *["/tmp"] * 6]
    outputs = [terminal.clean(raw[fact.start : fact.end].replace(b"\r", b"")).decode() for fact in done]
    assert outputs == ["", "a b é\n", "code 3\n", "x", "x", "yneedle", "1\n2\n"]
    assert "1" in done[6].text and "echo $i" in done[6].text
    assert len([fact for fact in shell.facts() if isinstance(fact, Started)]) == 7
    assert hook == "comment" or re.search(rb"needle( 3)? 3 [#$%>]", raw)  # the user's hook sees the status


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_that_has_marks_gets_none(guest: Guest, name: str) -> None:
    mark = {
        "bash": "PS1='\\[\\e]133;A\\a\\]needle \\$ '\n",
        "zsh": "PROMPT=$'%{\\e]133;A\\a%}needle %# '\n",
        "fish": PROMPTS["fish"] + "function __ksi_mark_prompt_start; end\n",
    }[name]
    shell = Shell(guest, name, mark + init(name))
    shell.run("echo don''e", "done")
    assert b"133;C" not in shell.printed() and b"133;D" not in shell.printed()


def test_the_command_prints_the_snippets(guest: Guest) -> None:
    for name in ("bash", "zsh", "fish"):
        printed = guest.ctmux("shell-init", name).stdout
        assert printed == Path(f"{SNIPPETS}.{name}").read_text()
    guest.ctmux("shell-init", "csh", code=2)


def test_a_snippet_does_nothing_outside_tmux_nor_in_scripts(guest: Guest) -> None:
    shell = Shell(guest, "bash", PROMPTS["bash"])
    code = f"'{init('bash').strip()}; echo \"[$PROMPT_COMMAND$PS0]\"'"
    shell.run(f"TMUX= bash --norc -ic {code}; echo don''e-1", "done-1")
    shell.run(f"bash -c {code}; echo don''e-2", "done-2")
    assert shell.printed().count(b"[]\r\n") == 2
