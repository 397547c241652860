"""From results to KPIs, plots and a verdict."""
