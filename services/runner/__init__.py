"""The runner: what subscriptions set off, each a bounded process of its own, reported as events."""
