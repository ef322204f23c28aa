"""Where an event would become code: it is on the stdin of what is run, from where some read their program. Pure."""

import re

from .injection import INTERPRETERS, SHELL_CODE, SHELLS, VALUED, name, options, unwrapped

_SSH_NO_SHELL = re.compile(r"-[46AaCgKkMqTtvXxYy]*[GNOQVWfn].*")
_SSH_VALUED = re.compile(r"-[46AaCgKkMqTtvXxYys]*[BDEFIJLRSbceilmopw]")  # the next word is its value
_STDIN = frozenset(("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"))
_TELLING = frozenset(("--help", "--version"))


def reader(argv: list[str]) -> str | None:
    """The shell or interpreter that would take stdin, where the event is, for its program: `bash -s`, `ssh host`."""
    words = unwrapped(argv)
    program, words = name(words[0]) if words else "", words[1:]
    if not _TELLING.isdisjoint(words[:1]):
        return None
    if program in SHELLS:
        reads = _shell_reads(words)
    elif program in INTERPRETERS:
        code, script = options(words, INTERPRETERS[program])
        reads = not code and (script is None or script in _STDIN)
    elif program == "ssh":
        reads = _ssh_reads(words)
    else:  # `su USER ARG` gives its shell a script
        operands = [word for word in words if not word.startswith("-")]
        reads = program == "su" and len(operands) < 2 and not any(map(SHELL_CODE.match, words))
    return program if reads else None


def _shell_reads(words: list[str]) -> bool:
    rest = iter(words)
    for word in rest:
        if word in ("-", "--"):
            return next(rest, "-") in _STDIN
        if re.fullmatch(r"-[A-Za-z]*c[A-Za-z]*|--command(=.*)?", word):
            return False
        if re.fullmatch(r"-[A-Za-z]*s[A-Za-z]*", word):
            return True
        if VALUED.fullmatch(word) or word in ("--rcfile", "--init-file"):
            next(rest, None)
        elif not word.startswith(("-", "+")):
            return word in _STDIN
    return True


def _ssh_reads(words: list[str]) -> bool:
    """Whether it is given no command: then the shell of the other host reads."""
    rest, operands = iter(words), 0
    for word in rest:
        if operands or word == "--" or not word.startswith("-"):
            operands += word != "--"
        elif _SSH_NO_SHELL.fullmatch(word):
            return False
        elif _SSH_VALUED.fullmatch(word):
            next(rest, None)
    return operands < 2
