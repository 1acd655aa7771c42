"""Plans: what is to be done, in steps that can be judged before anything is run."""
