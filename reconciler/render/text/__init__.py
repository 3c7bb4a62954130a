"""Plan, drift, outcomes and problems as text for a terminal of 60 to 200 columns, with and without colour.

Each is a module of its own and imported by itself: whoever validates pays for no plan.
"""
