"""The story that ``acts demo`` plays: real data, real git, the same commands that a team would type."""
