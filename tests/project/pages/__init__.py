"""Pages of the documentation that say numbers of the code."""
