"""Three habits of writing docstrings are understood."""

from hypothesis import given
from hypothesis import strategies as st

from projects.core.words.docstring import read_docstring

NUMPY = """Build an image.

    It takes long.

    Parameters
    ----------
    name
        What it is called.
    tag : str
        Its tag,
        not quoted.

    Errors
    ------
    UsageError
        name: never.

    Examples
    --------
    ./run_toolbox.py image build
    """

SPHINX = """Build an image
    in two lines.

    It takes long.

    :param name: What it
        is called.
    :param str tag: Its tag.
    :returns: nothing
        at all
    """

TOPSAIL = """
    Build an image

    Args:
      name: what it is called
      tag: its tag: quoted
    """


def test_numpy() -> None:
    doc = read_docstring(NUMPY)
    assert (doc.summary, doc.description) == ("Build an image.", "It takes long.")
    assert doc.parameters == {"name": "What it is called.", "tag": "Its tag, not quoted."}
    assert doc.examples == "./run_toolbox.py image build"


def test_sphinx() -> None:
    doc = read_docstring(SPHINX)
    assert (doc.summary, doc.description) == ("Build an image in two lines.", "It takes long.")
    assert doc.parameters == {"name": "What it is called.", "tag": "Its tag."}


def test_google_as_topsail_writes_it() -> None:
    doc = read_docstring(TOPSAIL)
    assert (doc.summary, doc.description) == ("Build an image", "")
    assert doc.parameters == {"name": "what it is called", "tag": "its tag: quoted"}


@given(st.text(alphabet="ab:- \n\tArgs"))
def test_any_text_is_taken(text: str) -> None:
    read_docstring(text)
