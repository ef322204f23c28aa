"""`python -m ctmux.services.keeper`"""

from ...shared import config, paths
from ...shared.entry import main
from .keeper import Keeper

if __name__ == "__main__":
    main(lambda: Keeper(paths.resolve(), config.load()).run())
