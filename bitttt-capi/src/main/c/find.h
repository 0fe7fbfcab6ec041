/* Which Java it shall be. */
#ifndef BITTTT_FIND_H
#define BITTTT_FIND_H

/* Java's library: the one in this process, or that of a home, or of the first Java that suits; NULL with the text of an error. */
void *find_jvm(const char *home);

#endif
