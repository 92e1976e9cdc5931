// Nothing to import: the library is preloaded, see CSigsuspend.c.
