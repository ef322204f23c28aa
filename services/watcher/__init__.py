"""The watcher of one session: it tails the spools of the session's panes and publishes what they grow by."""
