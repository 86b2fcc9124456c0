"""Others that do the same, as their own manuals say how: libraries that verify, servers that issue."""
