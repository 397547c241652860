"""Commands about satellites."""
