"""`python -m batch_issuer`, the same as the console command."""

from batch_issuer.cli import main

if __name__ == "__main__":
    main()
