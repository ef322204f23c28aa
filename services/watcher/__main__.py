"""`python -m ctmux.services.watcher SERVER SESSION`, the session by its number"""

import sys

from ...shared import config, paths
from ...shared.entry import main
from .watcher import Watcher

if __name__ == "__main__":
    main(lambda: Watcher(paths.resolve(), config.load(), sys.argv[1], f"${sys.argv[2]}").run())
