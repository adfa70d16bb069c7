"""Where pull requests live: GitHub, through github3.py."""
