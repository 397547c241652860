"""How databases of older versions become like the tables."""
