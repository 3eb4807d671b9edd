#include "lib/crc32c.h"

/* The remainder of a byte is the sum of those of its two halves: nearly as quick as a table of bytes. */
static const uint32_t crc32c_low[16] = {
    0x00000000u, 0xF26B8303u, 0xE13B70F7u, 0x1350F3F4u, 0xC79A971Fu, 0x35F1141Cu, 0x26A1E7E8u, 0xD4CA64EBu,
    0x8AD958CFu, 0x78B2DBCCu, 0x6BE22838u, 0x9989AB3Bu, 0x4D43CFD0u, 0xBF284CD3u, 0xAC78BF27u, 0x5E133C24u,
};
static const uint32_t crc32c_high[16] = {
    0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u, 0x417B1DBCu, 0x5125DAD3u, 0x61C69362u, 0x7198540Du,
    0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u, 0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u,
};

uint32_t crc32c_update(uint32_t before, const uint8_t *data, uint64_t bytes)
{
    uint32_t crc = ~before;

    for (uint64_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        crc = (crc >> 8u) ^ crc32c_low[crc & 0xFu] ^ crc32c_high[(crc >> 4u) & 0xFu];
    }
    return ~crc;
}
