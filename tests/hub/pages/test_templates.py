import pytest

from projects.hub.pages.rendering import environment


@pytest.mark.parametrize("name", environment().list_templates())
def test_every_template_is_one(name: str) -> None:
    assert environment().get_template(name).name == name
