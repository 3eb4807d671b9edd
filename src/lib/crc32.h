/* The CRC-32 of Ethernet, gzip and U-Boot's images (polynomial 0xEDB88320 reflected, start and end
 * inverted). */
#ifndef LIB_CRC32_H
#define LIB_CRC32_H

#include <stdint.h>

/* The sum over data appended to what gave `before`; 0 to start with. */
uint32_t crc32_update(uint32_t before, const uint8_t *data, uint64_t bytes);

#endif
