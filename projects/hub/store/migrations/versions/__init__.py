"""One module per version, numbered; each room has its own."""
