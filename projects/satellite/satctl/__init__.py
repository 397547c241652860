"""satctl: the routes of a satellite as verbs, each printing the JSON that it got."""
