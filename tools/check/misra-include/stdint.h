/* What the checker shows cppcheck for the compiler's <stdint.h>: an LP64 target, or Arm's ILP32. Never
 * compiled. */
#ifndef MISRA_INCLUDE_STDINT_H
#define MISRA_INCLUDE_STDINT_H

typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
#ifdef __arm__
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef int intptr_t;
typedef unsigned int uintptr_t;
#else
typedef long int64_t;
typedef unsigned long uint64_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;
#endif
typedef uint64_t uintmax_t;
typedef int64_t intmax_t;

#define INT8_MAX   127
#define INT16_MAX  32767
#define INT32_MAX  2147483647
#define INT64_MAX  9223372036854775807LL
#define UINT8_MAX  255u
#define UINT16_MAX 65535u
#define UINT32_MAX 4294967295u
#define UINT64_MAX 18446744073709551615ULL
#ifdef __arm__
#define UINTPTR_MAX UINT32_MAX
#define SIZE_MAX    UINT32_MAX
#else
#define UINTPTR_MAX 18446744073709551615UL
#define SIZE_MAX    18446744073709551615UL
#endif

#endif
