"""The processes of an instance, a folder each."""
