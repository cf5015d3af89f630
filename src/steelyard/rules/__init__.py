"""Pure answers about the state: requirement, brackets, prices, sizes, ranking. Nothing here writes."""
