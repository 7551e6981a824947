"""`python -m kgan`, and so `torchrun -m kgan`, is the command line."""

from kgan.cli import main

if __name__ == "__main__":
    main()
