"""Landlock: Linux itself refuses a lab's writes outside its folders, also those of C++, Rust and child processes.

Python's audit events, which `inside` watches everywhere, see only what goes through Python. See landlock(7).
"""

from __future__ import annotations

import ctypes
import os
import sys

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # system calls, with these numbers on every architecture
_VERSION = 1  # the flag that asks for the newest rules that the kernel knows
_BENEATH = 1  # the kind of rule: a folder and all below it
_NO_NEW_PRIVILEGES = 38
_WRITE, _REMOVE_AND_MAKE, _REFER, _TRUNCATE = 1 << 1, 0b1_1111_1111 << 4, 1 << 13, 1 << 14


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def writes_only_below(folders: list[str]) -> bool:
    """From now on this thread, and threads and processes that it starts, write below these folders only.

    Returns:
        False where that cannot be had: on other systems, or a Linux before 5.13 or without Landlock.
    """
    if not sys.platform.startswith("linux"):
        return False
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    writes = _WRITE | _REMOVE_AND_MAKE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    handled = ctypes.c_uint64(writes)
    rules = call(_CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    if rules < 0:
        return False
    try:
        for folder in filter(os.path.isdir, folders):
            beneath = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            try:
                if call(_ADD_RULE, rules, _BENEATH, ctypes.byref(_Beneath(writes, beneath)), 0):
                    return False
            finally:
                os.close(beneath)
        if ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return False
        return call(_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)
