"""What is done in shells: what is typed, recalled, completed and thrown away has the words that the output has."""

from hand import READS, Hand

WIDE = f"echo ERROR: {'very ' * 20}long >/dev/null"  # wider than the pane


def shell(hand: Hand, takes: int = 1) -> None:
    """For bash, zsh and fish alike; what is found by Ctrl-R runs after `takes` times Enter."""
    hand.sees(READS)
    hand.enters("echo FAI|LED: 3")
    hand.enters("grep ERROR server.log")
    hand.types("echo ERROX")
    hand.keys("BSpace")
    hand.enters("R: cor|rected")
    hand.enters("echo ready on port 9 >/dev/null")
    hand.keys("Up", "Up", "Up")
    hand.shows_last("grep ERROR server.log")
    hand.enters()
    hand.types("cat ERROR-")
    hand.keys("Tab")
    hand.shows_last("ERROR-part")
    hand.completes("ERROR-part2.txt")
    hand.keys("C-c")
    hand.quiet()
    hand.enters("echo 'FAILED: 10", then="\n")
    hand.enters("ERROR: second line'")
    hand.enters("sh slow.sh", then="it hangs")
    hand.keys("C-c")
    hand.sees(READS)
    hand.enters(WIDE)
    hand.enters("printf 'ready on port 80'; sleep 0.8; echo 81")
    hand.types("echo RROR: moved")
    hand.keys("C-a", *["Right"] * 5)
    hand.enters("E")
    hand.types("echo FAILED: 99")
    hand.keys("C-u")
    hand.enters("ls ERROR-none")
    hand.keys("C-r")
    hand.types("FAILED: 3")
    hand.shows_last("echo FAILED: 3")
    for _ in range(takes - 1):
        hand.keys("Enter")
        hand.quiet()
    hand.enters(then="FAILED: 3\r\n")
    hand.ends("exit")


def fish(hand: Hand) -> None:
    shell(hand, takes=2)


def executes(hand: Hand, prompt: str, lines: list[tuple[str, str]]) -> None:
    """Each line at its prompt, until what comes then."""
    hand.sees(prompt)
    for text, then in lines:
        hand.executes(text, then)


def dash(hand: Hand) -> None:
    """No marks at all, and the terminal itself shows what is typed: it goes through `ctmux pane exec`."""
    executes(hand, "$ ", [
        ("echo FAILED: 3", "\nFAILED: 3\r\n$ "),
        ("grep ERROR server.log", "db9\r\n$ "),
        ("echo ready on port 9 >/dev/null", "\r\n$ "),
        ("echo 'FAILED: 10", "\r\n> "),
        ("ERROR: second line'", "second line\r\n$ "),
        ("ls ERROR-none", "directory\r\n$ "),
        ("printf 'ready on port 80'; sleep 0.8; echo 81", "8081\r\n$ "),
        (WIDE, "\r\n$ "),
        ("for n in 1 2; do echo ERROR: $n; done", "ERROR: 2\r\n$ "),
        ("exit", "exit"),
    ])  # fmt: skip


def python(hand: Hand) -> None:
    """The REPL of Python 3.11 turns the marks of readline off: what is typed goes through `ctmux pane exec`."""
    executes(hand, ">>> ", [
        ('print("FAILED: 3")', "\nFAILED: 3\r\n>>> "),
        ('text = "ERROR: quiet"', "\n>>> "),
        ("text", "quiet'\r\n>>> "),
        ("for n in range(2):", "\n... "),
        ('    print("ERROR:", n)', "\n... "),
        ("", "ERROR: 1\r\n>>> "),
        ("1 / 0  # ZeroDivisionError: ERROR", "by zero\r\n>>> "),
        ('raise RuntimeError("FAILED: 4")', "RuntimeError: FAILED: 4\r\n>>> "),
        (f"wide = 'ERROR: {'very ' * 20}long'", "\n>>> "),
        ('print("ready on port", 80)', "port 80\r\n>>> "),
        ("exit()", "exit()"),
    ])  # fmt: skip


def far(hand: Hand) -> None:
    """A shell in a shell, with a terminal of its own between them, as with ssh."""
    hand.sees(READS)
    hand.enters("echo FAILED: 1")
    hand.enters("script -qc 'bash --rcfile far.bash' /dev/null # ssh ERROR-db")
    hand.enters("echo FAILED: 2")
    hand.enters("grep ERR|OR server.log")
    hand.keys("Up", "Up")
    hand.shows_last("echo FAILED: 2")
    hand.enters()
    hand.enters("sh slow.sh", then="it hangs")
    hand.keys("C-c")
    hand.sees(READS)
    hand.enters("exit # ERROR")
    hand.enters("echo ERROR: back")
    hand.ends("exit")


def screens(hand: Hand) -> None:
    """Full-screen programs out of a shell."""
    hand.sees(READS)
    hand.enters("less server.log # ERROR", then="server.log")
    hand.types("/ERROR")
    hand.keys("Enter")
    hand.quiet()
    hand.types("q")
    hand.sees(READS)
    hand.enters("echo ERROR: between")
    hand.enters("vim -N -u NONE server.log", then="8080")
    hand.types("OERROR: typed in vim")
    hand.keys("Escape")
    hand.quiet()
    hand.types(":q!")
    hand.enters()
    hand.enters("grep -c ERROR server.log")
    hand.ends("exit")
