"""Configuration as code for Sequentum Agent Control Center and Progress Automate MFT."""

__version__ = "0.1.0"
