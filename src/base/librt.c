#include "base/librt.h"

#include "base/panic.h"
#include "lib/crc32.h"

/* A NUL, a newline and 0xff, in its low half, stop runaway string copies from rebuilding it. */
uintptr_t __stack_chk_guard = (uintptr_t)0x2e7c91d300000affULL;

_Noreturn void __stack_chk_fail(void)
{
    panic("a library overran its stack frame");
}

void *malloc(size_t bytes)
{
    (void)bytes;
    return NULL;
}

void free(void *block)
{
    (void)block;
}

unsigned long crc32(unsigned long before, const unsigned char *data, unsigned int bytes)
{
    return (data == NULL) ? 0u : crc32_update((uint32_t)before, data, bytes);
}

unsigned long adler32(unsigned long before, const unsigned char *data, unsigned int bytes)
{
    (void)data;
    (void)bytes;
    return before;
}
