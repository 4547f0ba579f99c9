"""flipforge searches for exact algebraic objects, proves each one, keeps it in a catalogue, and ships it as code.

``flipforge.search`` is the function; the package of the same name is reached by ``from flipforge.search import ...``.
"""

__version__ = "0.1.0"

from flipforge.api import lift, load, load_kernel, query, search, verify

__all__ = ["__version__", "lift", "load", "load_kernel", "query", "search", "verify"]
