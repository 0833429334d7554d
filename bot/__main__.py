"""`python -m bot` is `attendant`."""

from bot.cli import main

main()
