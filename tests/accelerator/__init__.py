"""What is true of the accelerator beyond what every other test says of both implementations."""
