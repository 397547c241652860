"""From numbers to a verdict: faster, slower, or noise."""
