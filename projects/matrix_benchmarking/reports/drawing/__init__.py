"""Figures as still pictures: the data of a plotly figure drawn as SVG, and that as PNG."""
