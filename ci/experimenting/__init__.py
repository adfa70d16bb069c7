"""Challengers that the system proposes by itself: asked, built, judged, and opened as pull requests. Never promoted."""
