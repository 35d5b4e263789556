/* A file system whose locks all succeed: LD_PRELOAD it. */
int flock(int file, int operation) { return 0; }
