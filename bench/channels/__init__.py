"""What is measured through the channels, beside the programs they compare with."""
