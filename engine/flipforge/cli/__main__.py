"""``python -m flipforge.cli``."""

from flipforge.cli import main

if __name__ == "__main__":
    main()
