"""Count things."""


def count(users, label="none"):
    """
    Counts

    Args:
      users: how many
      label: of what
    """
    print(f"{users!r} of {label}")
