"""What of a text its label rests on."""
