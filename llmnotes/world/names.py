"""World's rules by the names that readers are given, in the order of `RULES`."""

from __future__ import annotations

PLAIN = {
    "pronoun": "pronoun",
    "agreement_0": "verb agrees, nothing between",
    "agreement_1": "verb agrees, one noun between",
    "agreement_2": "verb agrees, two nouns between",
    "indirect_object": "indirect object",
    "fact": "facts",
    "mood": "mood",
    "list": "repeated lists",
    "closing": "closing brackets",
}
