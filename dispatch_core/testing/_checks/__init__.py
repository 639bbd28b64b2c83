"""What must hold of every operator on every device, one function each.

A check goes through the operator's sample calls in all dtypes that its family accepts, and raises
AssertionError with the sample, the dtype and what differs.
"""
