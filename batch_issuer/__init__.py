"""Issue a day's sales in El Salvador as electronic tax documents, and prove what happened to every row."""

__version__ = "0.1.0"
