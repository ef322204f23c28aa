"""`python -m ctmux.services.broker`"""

from ...shared import paths
from ...shared.entry import main
from .broker import run

if __name__ == "__main__":
    main(lambda: run(paths.resolve()))
