"""People's labels: which texts to label next, and how the labels of another tool score."""
