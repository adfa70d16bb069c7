"""The way of a pull request on GitHub: what its workflows call. Nothing here runs a contributor's code."""
