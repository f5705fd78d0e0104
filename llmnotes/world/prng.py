"""Random numbers that are the same on every machine, in every version of Python and of every library."""

from __future__ import annotations


class Random:
    """SplitMix64 (Steele, Lea and Flood, 2014): 64 random bits a call, the same on every machine."""

    MASK = (1 << 64) - 1

    def __init__(self, *seeds: int) -> None:
        self.state = 0
        for seed in seeds:
            self.state = (self.bits() ^ seed) & self.MASK

    def bits(self) -> int:
        """A whole number from 0 to 2^64 - 1."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & self.MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & self.MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & self.MASK
        return z ^ (z >> 31)

    def uniform(self) -> float:
        """A number in [0, 1), a multiple of 2^-53."""
        return (self.bits() >> 11) / (1 << 53)

    def draw(self, options: dict[str, float]) -> str:
        """A word from a distribution."""
        left = self.uniform()
        for word, p in options.items():  # noqa: B007 (the last word takes what rounding leaves)
            left -= p
            if left < 0:
                break
        return word
