"""Where data would become code: a placeholder in what a shell, or another interpreter, runs. Pure."""

import re

from .placeholders import NAMES, names

# Programs that take an argument for code; what else runs its arguments is for the one who arms it to know.
_SHELLS = frozenset(("sh", "ash", "bash", "dash", "fish", "ksh", "mksh", "zsh", "busybox"))
_INTERPRETERS = frozenset(("node", "lua", "perl", "php", "python", "ruby", "tclsh"))
_REMOTE = frozenset(("ssh", "eval", "parallel", "watch", "tmux", "su", "script"))  # all their arguments may be
_IDS = frozenset(("pane", "window", "session"))  # `%3`: tmux's own, which it needs, and which nobody prints
_CODE = re.compile(r"-[A-Za-z]*[ceEprR]|--(eval|command|print|run)")
_SHELL_CODE = re.compile(r"-[A-Za-z]*[cC][A-Za-z]*|--(init-)?command")
_VALUED = re.compile(r"[-+][A-Za-z]*[oO]")  # of a shell: the next word is its value
_GLUED = re.compile(r"--(eval|(init-)?command|print|run)=|-[eEcC].")
_VERSION = re.compile(r"[\d.]+$")


def in_shell(text: str) -> str | None:
    """A placeholder of ours in a shell's text; `{print}` is of another language."""
    return next((name for name in names(text) if name in NAMES or name.isdigit()), None)


def in_argv(argv: list[str]) -> str | None:
    """A placeholder in an argument that an interpreter takes for code: `sh -c '{line}'`, `ssh host {line}`."""
    for at, word in enumerate(argv):
        program = _VERSION.sub("", word.rpartition("/")[2])
        if program in _REMOTE:
            return _first(argv[at + 1 :], _IDS if program == "tmux" else frozenset())
        if program in _SHELLS:
            return _first([*_of_shell(argv[at + 1 :]), *filter(_GLUED.match, argv)])
        if program in _INTERPRETERS:
            codes = (code for option, code in zip(argv[at + 1 :], argv[at + 2 :], strict=False) if _CODE.fullmatch(option))
            return _first([*codes, *filter(_GLUED.match, argv)])
    return None


def _of_shell(words: list[str]) -> list[str]:
    """The code that a shell is given, and the options before it: `bash -c -o pipefail -- CODE`."""
    begin = next((at for at, word in enumerate(words, 1) if _SHELL_CODE.fullmatch(word)), len(words))
    for at in range(begin, len(words)):
        if not words[at].startswith(("-", "+")) and not _VALUED.fullmatch(words[at - 1]):
            return words[begin : at + 1]
    return words[begin:]


def _first(words: list[str], but: frozenset[str] = frozenset()) -> str | None:
    return next((name for word in words for name in names(word) if name not in but), None)
