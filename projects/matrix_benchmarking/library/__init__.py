"""The door from results to KPIs, plots and a verdict: `visualize`."""
