"""The workflow files themselves: linted, held to rules of ours, and run by act in throw-away clones."""
