"""How labs become pages: read, run, stored, compared, rendered. Nothing outside this folder imports it."""
