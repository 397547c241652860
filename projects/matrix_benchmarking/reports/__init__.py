"""Plots and reports: figures, tables, pages, and a verdict in every form that is read."""
