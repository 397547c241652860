"""What the measurements become: parsers, KPIs, plots."""
