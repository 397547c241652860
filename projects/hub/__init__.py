"""The hub: one web page for a team, with satellites, result tables, artifacts, users and groups."""
