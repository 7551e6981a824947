"""The shipped recipes; `kgan list` names them."""
