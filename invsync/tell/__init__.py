"""What a run tells: values, and how a person or a program gets to read them."""
