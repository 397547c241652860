"""Result directories: found, parsed once, filtered, grouped and sorted."""
