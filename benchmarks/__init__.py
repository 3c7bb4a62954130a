"""Speed and memory, measured as ratios against floors that run beside: `python -m benchmarks [NAME…]`."""
