"""gatepost keeps an engagement platform in step with your audiences, in real time."""

__version__ = "0.1.0"
