"""Policy: whether an actor may do something now, and how many people must agree. No answer is a no."""
