"""A file for each noun of the command line."""
