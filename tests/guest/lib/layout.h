/* Where things are in guests' address space, as docs/guest-platform.md promises it; and where nothing is. */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#if GUEST_MPU
/* Everything is where the board (mps3-an536) has it, memory where the system says. */
#define LAYOUT_GICD    0xF0000000u
#define LAYOUT_NOWHERE 0xD8000000u /* the board's RAM, which no domain has */
#define LAYOUT_CODE    0xD8000000u
#define LAYOUT_NOEXEC  0xE1000000u /* no device is there, and our own map forbids to execute it */
#define LAYOUT_GAPS    0x00000000u, 0x08000000u, 0x10000000u, 0x20000000u, 0xE0000000u, 0xE7C00000u
#else
#define LAYOUT_GICD    0x03001000u
#define LAYOUT_CONSOLE 0x22000000u
#define LAYOUT_RAM     0x40000000u
#define LAYOUT_NOWHERE 0x30000000u /* between the devices and RAM */
#define LAYOUT_CODE    0xB0000000u /* above our RAM; the guest's own map lets it be executed */
#define LAYOUT_NOEXEC  0x30000000u /* our own map forbids to execute it */
#define LAYOUT_GAPS    0x00000000u, 0x02FFF000u, 0x22001000u, 0x09000000u, 0x38000000u
#endif

#endif
