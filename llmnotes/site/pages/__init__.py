"""How labs and entries become pages: the MkDocs plugin, its templates and scripts."""
