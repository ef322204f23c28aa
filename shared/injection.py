"""Where data would become code: a placeholder in what a shell, or another interpreter, runs. Pure."""

import re

from .placeholders import NAMES, names

# Programs that take an argument for code; what else runs its arguments is for the one who arms it to know.
_INTERPRETERS = frozenset(
    (
        "sh", "ash", "bash", "dash", "fish", "ksh", "mksh", "zsh", "busybox", "node", "lua", "perl", "php", "python",
        "ruby", "tclsh",
    )
)  # fmt: skip
_REMOTE = frozenset(("ssh", "eval", "parallel", "watch"))
_CODE = re.compile(r"-[A-Za-z]*[ceErR]|--(eval|command|print|run)")
_GLUED = re.compile(r"--(eval|command|print|run)=|-[eEc].")
_VERSION = re.compile(r"[\d.]+$")


def in_shell(text: str) -> str | None:
    """A placeholder of ours in a shell's text; `{print}` is of another language."""
    return next((name for name in names(text) if name in NAMES or name.isdigit()), None)


def in_argv(argv: list[str]) -> str | None:
    """A placeholder in an argument that an interpreter takes for code: `sh -c '{line}'`, `ssh host {line}`."""
    for at, word in enumerate(argv):
        program = _VERSION.sub("", word.rpartition("/")[2])
        if program in _REMOTE:
            return _first(argv[at + 1 :])
        if program in _INTERPRETERS:
            codes = (code for option, code in zip(argv[at + 1 :], argv[at + 2 :], strict=False) if _CODE.fullmatch(option))
            return _first([*codes, *filter(_GLUED.match, argv)])
    return None


def _first(words: list[str]) -> str | None:
    return next((name for word in words for name in names(word)), None)
