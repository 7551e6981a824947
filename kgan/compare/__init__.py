"""Two recipes, or two sets of runs, compared over several seeds: the trainings, and the conclusion in one sentence."""
