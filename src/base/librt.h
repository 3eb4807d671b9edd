/* What the target's libfdt.a, libz.a and libmd.a name and a freestanding program must define. Nobody calls
 * these by name. */
#ifndef BASE_LIBRT_H
#define BASE_LIBRT_H

#include <stddef.h>
#include <stdint.h>

extern uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

/* zlib's default allocator, never used: every stream brings its own zalloc and zfree. */
void *malloc(size_t bytes);
void free(void *block);

/* zlib's checksums. Its own CRC-32 is quicker by tables of 10 KiB; Adler-32 is for a format that is never
 * used. */
unsigned long crc32(unsigned long before, const unsigned char *data, unsigned int bytes);
unsigned long adler32(unsigned long before, const unsigned char *data, unsigned int bytes);

#endif
