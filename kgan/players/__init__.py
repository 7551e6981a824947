"""What surrounds one player: its call, its averaged copy, its optimizer, and whether it fits the other player."""
