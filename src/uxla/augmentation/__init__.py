"""Gen-LM as a tool of its own, for files and for texts in memory."""
