"""Where links of a page in a run lead to."""

from __future__ import annotations

import pytest

from projects.hub.pages import links


@pytest.mark.parametrize(
    ("href", "to"),
    [
        ("b.html", "plots/b.html"),
        ("./c%20d.html?x=1#y", "plots/c d.html"),
        ("../timeline.html", "timeline.html"),
        ("../../etc/passwd", ""),
        ("..", ""),
        ("/api/v1/me", ""),
        ("//evil.example/x", ""),
        ("https://evil.example/x", ""),
        ("javascript:alert(1)", ""),
        ("#here", ""),
        ("http://[", ""),
    ],
)
def test_a_link_stays_inside_its_run(href: str, to: str) -> None:
    assert links.inside("plots/a.html", href) == to
