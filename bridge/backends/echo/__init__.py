"""Echo: says the question back, word by word, for trying the bridge out without an app. `backend` has what the bridge loads."""
