"""The page of `./run_toolbox.py` alone: drawn without importing what it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core.words.page import COMMAND, Page, examples, join, usage

if TYPE_CHECKING:
    from projects.core.words.catalog import Catalog


def help_overview(catalog: Catalog, version: str, selected: str, page: Page) -> str:
    """Return the page of `./run_toolbox.py`: every project and group, a line each."""
    projects = {
        name: project.summary + (" (selected: `project`)" if name == selected else "")
        for name, project in catalog.projects().items()
    }
    groups = {name: group.summary for name, group in catalog.groups().items()}
    return join(
        [f"{page.title('Topgallant')} {version}: orchestration of performance tests"],
        usage(page, "NAME VERB [WORD …] [--parameter=value …]"),
        [page.title("Projects"), *page.rows(projects.items())] if projects else [],
        [page.title("Toolbox groups"), *page.rows(groups.items())] if groups else [],
        [
            page.title("Words and flags"),
            *page.rows(
                (
                    ("preset", "a plain word after a project's verb: applies that preset"),
                    ("key.path=value", "overrides the configuration; the value is YAML"),
                    ("--help", "after NAME or NAME VERB: what it does and takes"),
                    ("--output=json|yaml|text", "how data is printed"),
                    ("--debug", "an error comes with its traceback"),
                    ("--version", "the version"),
                )
            ),
        ],
        examples(
            page,
            (
                f"{COMMAND} project test_ci quick",
                f"{COMMAND} {next(iter(groups), 'config')} --help",
                f'eval "$({COMMAND} completion bash)"',
            ),
        ),
    )
