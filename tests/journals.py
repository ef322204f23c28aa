"""A journal's writer, open for as long as a test needs it."""

import contextlib

from ctmux.services.logger.writer import Writer
from ctmux.shared.config import LoggerConfig


@contextlib.contextmanager
def opened(directory, **settings):
    writer = Writer(directory, LoggerConfig(**settings))
    try:
        yield writer
    finally:
        writer.close()
