"""`python -m ctmux.services.matcher`"""

from ...shared import config, paths
from ...shared.entry import main
from .matcher import Matcher

if __name__ == "__main__":
    main(lambda: Matcher(paths.resolve(), config.load()).run())
