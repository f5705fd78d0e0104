"""What the notebook says beside its labs: entries, quoted numbers, the glossary."""
