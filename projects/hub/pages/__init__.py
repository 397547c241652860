"""The web pages: Jinja2 templates, styles, a little htmx."""
