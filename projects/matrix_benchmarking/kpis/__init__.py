"""KPIs: numbers of a result with unit and direction, and the document that carries them."""
