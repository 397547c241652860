"""How a point is described, measured, summarised and compared."""
