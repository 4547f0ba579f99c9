"""Schemes: frozen values with a canonical form, an ID, costs and file formats."""

from flipforge.schemes._costs import Costs, costs
from flipforge.schemes._scheme import Scheme
from flipforge.schemes._standard import standard_scheme

__all__ = ["Costs", "Scheme", "costs", "standard_scheme"]
