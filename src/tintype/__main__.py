"""`python -m tintype`, as torchrun starts it: torchrun --nproc-per-node 2 -m tintype train ..."""

from tintype.cli import main

if __name__ == "__main__":
    main()
