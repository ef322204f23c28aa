"""The broker: XSUB/XPUB, stateless; it knows nothing of messages."""
