"""Users, groups, sessions, tokens, and who did what."""
