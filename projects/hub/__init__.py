"""The hub: satellites, result tables, artifacts and plots in one web page, with users and groups."""
