#include "traffic.h"

struct message {
    uint32_t number;
    uint32_t crc; /* of number and text */
    uint8_t text[TRAFFIC_TEXT_MAX];
};

#define HEAD_BYTES 8u

/* CRC-32C, a nibble at a time */
static uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
    static const uint32_t table[16] = {
        0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u, 0x417B1DBCu, 0x5125DAD3u,
        0x61C69362u, 0x7198540Du, 0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u,
        0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u,
    };
    uint32_t c = crc ^ byte;

    c = (c >> 4u) ^ table[c & 15u];
    return (c >> 4u) ^ table[c & 15u];
}

static uint32_t crc_of(const struct message *m, uint32_t bytes)
{
    uint32_t crc = ~m->number;

    for (uint32_t i = 0u; i < (bytes - HEAD_BYTES); i++) {
        crc = crc_byte(crc, m->text[i]);
    }
    return ~crc;
}

static uint32_t bytes_of(uint32_t number)
{
    return HEAD_BYTES + ((number * 7u) % (TRAFFIC_TEXT_MAX + 1u));
}

static bool send_one(struct traffic *t)
{
    static struct message m;
    const uint32_t bytes = bytes_of(t->sent);
    enum ring_status status;

    m.number = t->sent;
    for (uint32_t i = 0u; i < (bytes - HEAD_BYTES); i++) {
        m.text[i] = (uint8_t)((t->sent * 13u) + (i * 3u));
    }
    m.crc = crc_of(&m, bytes);
    status = ring_send(&t->out, &m, bytes);
    if (status == RING_OK) {
        t->sent++;
    } else if ((status == RING_RESTARTED) || (status == RING_BROKEN)) {
        t->sent = 0u;
        t->bad = t->bad || (status == RING_BROKEN);
    } else {
        /* later */
    }
    return status == RING_OK;
}

static bool receive_one(struct traffic *t)
{
    static struct message m;
    uint32_t bytes = 0u;
    const enum ring_status status = ring_receive(&t->in, &m, (uint32_t)sizeof(m), &bytes);

    if (status == RING_OK) {
        t->bad = t->bad || (m.number != t->received) || (bytes != bytes_of(m.number)) ||
                 (m.crc != crc_of(&m, bytes));
        t->received++;
        t->bytes += bytes;
    } else if ((status == RING_RESTARTED) || (status == RING_BROKEN)) {
        t->received = 0u;
        t->bad = t->bad || (status == RING_BROKEN);
        t->restarted = true;
    } else {
        /* later */
    }
    return status == RING_OK;
}

bool traffic_open(struct traffic *t, void *window, uint64_t bytes, bool first, uint32_t life)
{
    return ring_open_pair(&t->out, &t->in, window, bytes, first, life);
}

bool traffic_run(struct traffic *t, uint32_t budget)
{
    bool any = false;

    for (uint32_t i = 0u; i < budget; i++) {
        const bool out = send_one(t);
        const bool in = receive_one(t);

        any = any || in || out;
    }
    return any;
}
