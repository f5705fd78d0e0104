"""How a lab is run: read, executed in a kernel, stored, compared with its recorded run."""
