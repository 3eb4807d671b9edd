/* Addresses and identifiers that every layer shares. */
#ifndef HAL_TYPES_H
#define HAL_TYPES_H

#include <stddef.h>

#include "lib/bits.h"
#include "lib/status.h"

/* A host physical and a guest physical address. Structs, so that mixing them up does not compile. */
typedef struct {
    uint64_t v;
} hpa_t;
typedef struct {
    uint64_t v;
} gpa_t;

static inline hpa_t hpa(uint64_t v)
{
    const hpa_t a = { v };
    return a;
}

static inline gpa_t gpa(uint64_t v)
{
    const gpa_t a = { v };
    return a;
}

#define PAGE_SHIFT 12u
#define PAGE_BYTES 4096u

/* How many pages hold so many bytes. */
static inline uint32_t hal_pages(uint64_t bytes)
{
    return (uint32_t)((bytes + (PAGE_BYTES - 1u)) >> PAGE_SHIFT);
}

#define HV_CPUS_MAX    64u  /* physical CPUs; a CPU set fits one 64-bit word */
#define HV_DOMAINS_MAX 32u  /* domains alive at once */
#define HV_VCPUS_MAX   128u /* vCPUs of one domain */

typedef uint32_t cpuid_t; /* logical number of a physical CPU, 0 .. HV_CPUS_MAX - 1 */
typedef uint16_t domid_t; /* as in Xen's ABI: 0x7FF0 and above are special */

#define TIME_NEVER UINT64_MAX /* a deadline that does not come, ns since boot */

#endif
