"""What is right, from sources of its own: mpmath's functions, tables of special points, exact sums."""
