"""Who does work that does not depend on other work: this process, a process for each device, or another package."""
