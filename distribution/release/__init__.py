"""What is published, made and tried before it is: ``make dist``."""
