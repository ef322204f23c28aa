"""`python -m ctmux.services.logger`"""

from ...shared import config, paths
from ...shared.entry import main
from .logger import Logger

if __name__ == "__main__":
    main(lambda: Logger(paths.resolve(), config.load()).run())
