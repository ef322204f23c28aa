"""A program in a pane: prints `chaos NAME 1`, `chaos NAME 2` ... at a rate, and notes how many when it ends.

printer.py NAME RATE SECONDS FOLDER EXIT_STATUS [WORD, chaos if left out]
"""

import os
import sys
import time

name, rate, seconds, folder, status = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4], int(sys.argv[5])
word = sys.argv[6] if len(sys.argv) > 6 else "chaos"
STEP = 0.02  # seconds between two writes
printed = 0
begin = time.monotonic()
while True:
    now = time.monotonic() - begin
    due = int(min(now, seconds) * rate) + 1
    if due > printed:
        os.write(1, b"".join(b"%s %s %d\n" % (word.encode(), name.encode(), k) for k in range(printed + 1, due + 1)))
        printed = due
    if now >= seconds:
        break
    time.sleep(STEP)
with open(f"{folder}/{name}.new", "w") as file:
    file.write(str(printed))
time.sleep(0.5)  # tmux drops the end of what a dying pane printed now and then: bench/shortlived.py
os.rename(f"{folder}/{name}.new", f"{folder}/{name}.done")
sys.exit(status)
