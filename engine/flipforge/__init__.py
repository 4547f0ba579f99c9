"""flipforge searches for exact algebraic objects, proves each one, keeps it in a catalogue, and ships it as code."""

__version__ = "0.1.0"
