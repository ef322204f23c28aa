"""The command line, `ctmux`."""
