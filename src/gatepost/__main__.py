"""Makes `python -m gatepost` the same as `gatepost`."""

from gatepost.cli.main import main

if __name__ == "__main__":
    main()
