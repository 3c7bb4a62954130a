"""The HTTP clients of the two products, Sequentum ACC and Automate MFT.

`acc` and `mft` have a typed method for each documented call. A call goes through `transport` (a session: retries, and
what is known after a failure), `sender` (one attempt), `wire` and `exchange` (bytes, deadlines, whether any left).
"""
