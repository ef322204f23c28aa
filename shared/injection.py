"""Where data would become code: a placeholder in what a shell, or another interpreter, runs. Pure."""

import re
from typing import NamedTuple

from .placeholders import NAMES, names

# Programs that take an argument for code; what else runs its arguments is for the one who arms it to know.
SHELLS = frozenset(("sh", "ash", "bash", "dash", "fish", "ksh", "mksh", "zsh", "busybox"))


class _Letters(NamedTuple):
    """Of options with a value, the rest of the word or else the next one: `code` (or a module, or a file to run), any
    `value`, or one that is never the next word (`rest`)."""

    code: str
    value: str = ""
    rest: str = ""


INTERPRETERS = {
    "lua": _Letters("e", "l"), "node": _Letters("ep", "r"), "perl": _Letters("eE", "I", "CDFMVimx"),
    "php": _Letters("BEFRSfr", "cdtz"), "python": _Letters("cm", "WX"), "ruby": _Letters("e", "CEIr", "FKTWix"),
    "tclsh": _Letters(""),
}  # fmt: skip
# All their arguments may be.
_REMOTE = frozenset((
    "ssh", "eval", "parallel", "watch", "tmux", "su", "script", "xargs", "awk", "gawk", "mawk", "nawk", "sed", "ctmux",
))  # fmt: skip
_OF_TMUX = frozenset(("tmux", "ctmux"))
# They run another program, with these options that have a value in the next word.
_WRAPPERS = {
    "busybox": "", "doas": "Cu", "env": "CSu", "ionice": "cn", "nice": "n", "nohup": "", "setsid": "", "stdbuf": "eio",
    "sudo": "CDRTUghpru", "time": "fo", "timeout": "ks",
}  # fmt: skip
_OF_WRAPPER = re.compile(r"-.*|\w+=.*|[\d.]+[smhd]?")  # an option, a variable, a time
_IDS = frozenset(("pane", "window", "session"))  # `%3`: tmux's own, which it needs, and which nobody prints
_CODE = re.compile(r"-[A-Za-z]*[ceEprR]|--(eval|command|print|run)")
SHELL_CODE = re.compile(r"-[A-Za-z]*[cC][A-Za-z]*|--(init-)?command")
VALUED = re.compile(r"[-+][A-Za-z]*[oO]")  # of a shell: the next word is its value
_GLUED = re.compile(r"--(eval|(init-)?command|print|run)=|-[eEcC].")
_LONG_CODE = re.compile(r"--(eval|print|run|file|split-string)(=|$)")
_VERSION = re.compile(r"[\d.]+$")


def in_shell(text: str) -> str | None:
    """A placeholder of ours in a shell's text; `{print}` is of another language."""
    return next((name for name in names(text) if name in NAMES or name.isdigit()), None)


def in_argv(argv: list[str]) -> str | None:
    """A placeholder in what is run, or in what an interpreter takes for code: `env {1}`, `sh -c '{line}'`."""
    if found := _first(unwrapped(argv)[:1]):
        return found
    for at, word in enumerate(argv):
        program = name(word)
        if program == "env" and (found := _first(options(argv[at + 1 :], _Letters("S", "Cu"))[0])):
            return found
        if program in _REMOTE:
            return _first(argv[at + 1 :], _IDS if program in _OF_TMUX else frozenset())
        if program in SHELLS:
            return _first([*_of_shell(argv[at + 1 :]), *filter(_GLUED.match, argv)])
        if program in INTERPRETERS:
            codes = (code for option, code in zip(argv[at + 1 :], argv[at + 2 :], strict=False) if _CODE.fullmatch(option))
            own, _script = options(argv[at + 1 :], INTERPRETERS[program])
            return _first([*codes, *own, *filter(_GLUED.match, argv)])
    return None


def unwrapped(argv: list[str]) -> list[str]:
    """A program and its arguments, without those that run it: `env A=1 timeout 5 bash -s`."""
    while argv and (valued := _WRAPPERS.get(name(argv[0]))) is not None:
        argv = argv[1:]
        while argv and _OF_WRAPPER.fullmatch(argv[0]):
            argv = argv[2 if re.fullmatch(f"-[A-Za-z]*[{valued or '-'}]", argv[0]) else 1 :]
    return argv


def name(word: str) -> str:
    """Of a program: `python3.11` is `python`."""
    return _VERSION.sub("", word.rpartition("/")[2])


def options(words: list[str], letters: _Letters) -> tuple[list[str], str | None]:
    """What an interpreter is given as code, and the script behind its options."""
    codes: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            return codes, next(rest, None)
        if word == "-" or not word.startswith("-"):
            return codes, word
        if found := _LONG_CODE.match(word):
            codes.append(word[found.end() :] if found[2] else next(rest, ""))
        for at, letter in enumerate(word if not word.startswith("--") else "", 1):
            glued = word[at:]
            if letter in letters.code and glued.strip(letters.code):
                codes.append(glued)
            elif letter in letters.code + letters.value and not glued:
                value = next(rest, "")
                codes += [value] * (letter in letters.code)
            elif letter not in letters.value + letters.rest:
                continue
            break
    return codes, None


def _of_shell(words: list[str]) -> list[str]:
    """The code that a shell is given, and the options before it: `bash -c -o pipefail -- CODE`."""
    begin = next((at for at, word in enumerate(words, 1) if SHELL_CODE.fullmatch(word)), len(words))
    for at in range(begin, len(words)):
        if not words[at].startswith(("-", "+")) and not VALUED.fullmatch(words[at - 1]):
            return words[begin : at + 1]
    return words[begin:]


def _first(words: list[str], but: frozenset[str] = frozenset()) -> str | None:
    return next((name for word in words for name in names(word) if name not in but), None)
