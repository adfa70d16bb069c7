"""A model of text on real headlines: contracts and spec as they stand here, and the story that plays them."""
