"""Makes the recordings anew, or those that are named: `.venv/bin/python tests/corpus/record.py [NAME...]`.

It needs zsh, fish, htop, vim, less, node and npm. What must fire in each is in NAME.json beside it, written by people who
have read the recording: read it again when it was made anew.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

import programs
import shells
from hand import Hand
from harness import World, until
from recording import Recording
from warm import Warm

HERE = Path(__file__).parent
RECORDINGS = HERE.parent / "data" / "recordings"
PROJECT = "ERROR-project"  # the directory, which prompts show
CARGO, PYTEST = f"{sys.executable} cargo.py", f"{sys.executable} -m pytest -o python_files='check_*.py' --color=yes"
WAIT = "while [ ! -e go ]; do sleep 0.2; done; "  # until it is recorded, or its first seconds would have come at once
AROUND = "echo 'ERROR: before'; {}; echo 'FAILED: 1 after'; exec sleep 0.5"


class Scene(NamedTuple):
    """A program, and what a hand does there."""

    command: str
    act: Callable[[Hand], None]


SCENES = {
    "bash": Scene("exec bash --rcfile plain.bash", shells.shell),
    "bash-marks": Scene("exec bash --rcfile marks.bash", shells.shell),
    "zsh": Scene("cp plain.zsh .zshrc; ZDOTDIR=$PWD exec zsh", shells.shell),
    "zsh-marks": Scene("cp marks.zsh .zshrc; ZDOTDIR=$PWD exec zsh", shells.shell),
    "fish": Scene("exec fish -C 'source plain.fish'", shells.fish),
    "fish-marks": Scene("exec fish -C 'source marks.fish'", shells.fish),
    "dash": Scene("exec env PS1='$ ' dash", shells.dash),
    "python": Scene(f"exec {sys.executable} -q", shells.python),
    "far": Scene("exec bash --rcfile plain.bash", shells.far),
    "screens": Scene("exec bash --rcfile plain.bash", shells.screens),
    "npm": Scene("npm run build; npm run serve; exec sleep 0.5", programs.watch),
    "pytest": Scene(f"{PYTEST}; {PYTEST} -v check_login.py; exec sleep 0.5", programs.watch),
    "cargo": Scene(f"{CARGO}; exec sleep 0.5", programs.watch),
    "vim": Scene(AROUND.format("vim -N -u NONE server.log"), programs.vim),
    "less": Scene(AROUND.format("less server.log"), programs.less),
    "htop": Scene(AROUND.format("sh ERROR.sh FAILED & htop -d 10 -p $!; kill $!"), programs.htop),
}
ENVIRONMENT = {
    "LESSHISTFILE": "-", "npm_config_update_notifier": "false", "npm_config_offline": "true",
    "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p no:cacheprovider",
}  # fmt: skip


def record(world: World, name: str) -> None:
    scene = SCENES[name]
    file = RECORDINGS / f"{name}.cast"
    project = f"{world.root}/{name}/{PROJECT}"
    shutil.copytree(HERE / "project", project)
    pane = world.tmux(
        "new-session",
        "-d",
        "-s",
        name,
        "-x",
        "80",
        "-y",
        "24",
        "-c",
        project,
        "-P",
        "-F",
        "#{pane_id}",
        WAIT + scene.command,
    )
    world.wait_event("pane.observed", pane=pane)
    file.unlink(missing_ok=True)
    recorder = world.popen("pane", "record", pane, str(file), "--from", "start")
    until(file.exists)
    Path(f"{project}/go").touch()
    hand = Hand(world, pane)
    try:
        scene.act(hand)
        told, trouble = recorder.communicate(timeout=60)
    except BaseException:
        world.tmux("kill-session", "-t", name)
        recorder.wait(20)
        raise
    assert recorder.returncode == 0, trouble
    print(f"{name}: {told.strip()}", file.stat().st_size, flush=True)
    if hand.sent:
        _note_sent(file, hand.sent)


def _note_sent(file: Path, sent: list[tuple[int, str]]) -> None:
    """In the .json: each text, and the time of the last piece that was printed before it was sent."""
    pieces = Recording.parse(file.read_text()).pieces
    ends = list(accumulate(len(data) for _seconds, data in pieces))
    times = [
        max((at for (at, _data), end in zip(pieces, ends, strict=True) if end <= size), default=0.0) for size, _ in sent
    ]
    beside = file.with_suffix(".json")
    known = json.loads(beside.read_text()) if beside.exists() else {"expected": []}
    known["sent"] = [[at, text] for at, (_size, text) in zip(times, sent, strict=True)]
    beside.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n")


def main(names: list[str]) -> None:
    missing = [tool for tool in ("zsh", "fish", "htop", "vim", "less", "npm", "script") if not shutil.which(tool)]
    if missing:
        sys.exit(f"not installed: {' '.join(missing)}")
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    warm = Warm()
    world = World(command=warm.run)
    world.env |= ENVIRONMENT
    # Or fish reads all manuals at its first start.
    os.makedirs(f"{world.root}/.local/share/fish/generated_completions")
    try:
        world.begin()
        world.tmux("set-option", "-g", "default-terminal", "tmux-256color")
        for name in names or SCENES:
            record(world, name)
    finally:
        world.close()
        warm.close()


if __name__ == "__main__":
    main(sys.argv[1:])
