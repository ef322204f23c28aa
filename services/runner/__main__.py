"""`python -m ctmux.services.runner`"""

from ...shared import config, paths
from ...shared.entry import main
from .runner import Runner

if __name__ == "__main__":
    main(lambda: Runner(paths.resolve(), config.load()).run())
