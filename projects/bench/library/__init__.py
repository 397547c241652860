"""Measuring and reporting: samples, alternation, generated input, probes, report."""
