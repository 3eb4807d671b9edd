/* The C library's memory and string functions, as far as this project and the static libraries that it
 * links (libfdt, zlib's inflate) need them. Semantics of ISO C (strnlen: POSIX). The host's programs take
 * them from their libc. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stddef.h>

void *memcpy(void *dst, const void *src, size_t bytes);
void *memmove(void *dst, const void *src, size_t bytes);
void *memset(void *dst, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);
void *memchr(const void *data, int value, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
char *strchr(const char *text, int wanted);
char *strrchr(const char *text, int wanted);
int strcmp(const char *left, const char *right);

#endif
