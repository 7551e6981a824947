"""From a recipe in YAML to a run directory: loader -> schema -> builder -> runner."""
