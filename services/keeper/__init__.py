"""The keeper: finds tmux servers, keeps their panes observed, and reports what is born, moves and ends."""
