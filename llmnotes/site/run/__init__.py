"""How a lab is run: read, executed in a kernel, stored, compared with its recorded run.

labs.py        a script becomes a lab: its header (fields.py), cells, digest (digests.py) and minutes
runner.py      many labs: a stored run where one is valid, else a new one
execute.py     one lab: kernel.py is what happens inside its kernel, outputs.py what of its outputs is kept
stored.py      one run on disk, checked as it is read; store.py the cache and the recorded runs
compare.py     a fresh run beside the recorded one, also under strain, with noise.py in the kernel
replicates.py  a lab on other trainings of its models
"""
