"""An SVG picture as PNG."""

from __future__ import annotations

ZOOM = 1.5
"""Pixels of the PNG per pixel of the SVG: sharp on today's screens and on paper."""


def png(picture: str) -> bytes:
    """Return the bytes of a PNG; texts are drawn with the fonts of the system (DejaVu, Roboto …).

    Without any font installed, as in some minimal containers, the picture has no texts.

    Errors
    ------
    ValueError
        `picture` is no SVG.
    """
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(svg_string=picture, zoom=ZOOM, sans_serif_family="DejaVu Sans")
    )
