"""`/satellite`: the routes that the satellite has always had."""
