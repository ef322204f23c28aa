"""The logger: the only owner of event numbers. It writes, then publishes, then acknowledges."""
