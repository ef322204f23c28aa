"""The matcher: chunks become logical lines, lines meet subscriptions, matches become events."""
