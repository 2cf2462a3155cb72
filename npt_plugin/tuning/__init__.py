"""What fine-tuning lets learn: weights of the towers, or small modules that act inside them."""
