"""How the app is set up at Discord: what it asks for, and the links and steps by which it gets that."""
