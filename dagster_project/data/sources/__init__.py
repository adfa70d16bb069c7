"""Where rows come from: files, databases and the bundled sample, each as parts that are read once."""
