"""Two recipes, or two sets of runs, compared over several seeds: the trainings, and the sentence that follows from them."""
