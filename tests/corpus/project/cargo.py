"""Prints as cargo does: a bar on the last line, drawn over by each line above it."""

import sys
import time

CRATES = ["libc v0.2.155", "error-code v3.2.0", "failure v0.1.8", "app v0.1.0 (/src/app)"]


def status(word: str, rest: str, colour: str = "1m\x1b[32m") -> None:
    sys.stderr.write(f"\r\x1b[K\x1b[{colour}{word:>12}\x1b[0m {rest}\n")


def bar(done: int) -> None:
    filled = "=" * (done * 5) + ">" + " " * (20 - done * 5)
    sys.stderr.write(f"\x1b[1m\x1b[36m    Building\x1b[0m [{filled}] {done}/4: {CRATES[min(done, 3)].split()[0]}\r")
    sys.stderr.flush()


for number, crate in enumerate(CRATES):
    status("Compiling", crate)
    bar(number)
    time.sleep(0.25)
sys.stderr.write("\r\x1b[K\x1b[1m\x1b[33mwarning\x1b[0m\x1b[1m: unused variable: `ERROR`\x1b[0m\n")
sys.stderr.write("  \x1b[1m\x1b[34m--> \x1b[0msrc/main.rs:4:9\n")
bar(4)
time.sleep(0.3)
sys.stderr.write("\r\x1b[K\x1b[1m\x1b[31merror[E0425]\x1b[0m\x1b[1m: cannot find value `FAILED` in this scope\x1b[0m\n")
sys.stderr.write(" \x1b[1m\x1b[34m--> \x1b[0msrc/main.rs:7:5\n\n")
sys.stderr.write(
    '\x1b[1m\x1b[31merror\x1b[0m: could not compile `app` (bin "app") due to 1 previous error; 1 warning emitted\n'
)
sys.exit(101)
