"""What did a training run look like? Pictures of its moments, and films of them."""
