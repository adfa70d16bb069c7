"""Judging: trusted code measures what a build left, on rows that the base branch's rules name."""
