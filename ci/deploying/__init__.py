"""Deployment: what a commit's locks say becomes the desired state, and servers are watched until they serve it."""
