"""One run: from corpora and a method to adapted models, their results and the run folder."""
