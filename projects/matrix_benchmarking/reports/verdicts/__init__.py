"""A verdict in every form that is read: terminal, page, JSON, junit, markdown."""
