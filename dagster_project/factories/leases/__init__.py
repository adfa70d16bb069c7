"""Places where training runs, each behind one interface: acquire, run the program, release, write down."""
