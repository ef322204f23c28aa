"""A program in a pane: prints `step 1`, `step 2` ... as a shell that marks its commands would, ten steps a command.

steps.py RATE SECONDS FOLDER EXIT_STATUS
"""

import os
import sys
import time

rate, seconds, folder, status = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3], int(sys.argv[4])
begin = time.monotonic()
step = 0
while (now := time.monotonic() - begin) < seconds:
    step += 1
    text = b"step %d\n" % step
    if step % 10 == 1:
        text = b"\n\x1b]133;C\x07" + text
    if step % 10 == 0:
        text += b"\x1b]133;D;%d\x07\x1b]133;A\x07step $ \x1b]133;B\x07step" % (step // 10 % 3)
    os.write(1, text)
    time.sleep(max(0.0, step / rate - (time.monotonic() - begin)))
with open(f"{folder}/steps.count", "w") as file:
    file.write(str(step))
time.sleep(0.5)  # tmux drops the end of what a dying pane printed now and then: bench/shortlived.py
with open(f"{folder}/steps.new", "w") as file:
    file.write("0")  # lines that the account looks for
os.rename(f"{folder}/steps.new", f"{folder}/steps.done")
sys.exit(status)
