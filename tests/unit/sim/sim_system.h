/* A simulated host that boots a system from a device tree, for scenarios that are processes of their own. */
#ifndef SIM_SYSTEM_H
#define SIM_SYSTEM_H

#include "tree_source.h"

#include "build/build.h"
#include "fake.h"

#define RAM       0x80000000ULL
#define RAM_BYTES MIB(256)
#define IMAGE     (RAM + MIB(2))
#define TREE      (RAM + MIB(8))
#define KERNEL(n) (RAM + (n) * MIB(16)) /* of domU<n> */
#define GUEST_RAM 0x40000000ULL
#define DIRT      0xA5u
#define MS        1000000ULL

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: not so: %s\nconsole:\n%s\n", __FILE__, __LINE__, #condition,       \
                          sim_shown());                                                                      \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* The beginning of a board's tree, up to its CPUs */
#define BOARD_BEGIN                                                                                          \
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&ic>;"                       \
    " cpus { #address-cells = <1>; #size-cells = <0>;"
#define BOARD_CPU(n) " cpu@" n " { device_type = \"cpu\"; reg = <" n ">; enable-method = \"e\"; };"
/* ... and all else up to the domains */
#define BOARD_REST(scheduler)                                                                                \
    " }; memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x10000000>; };"                  \
    " ic: intc { interrupt-controller; #interrupt-cells = <3>; };"                                           \
    " uart: serial@9000000 { compatible = \"arm,pl011\"; reg = <0 0x9000000 0 0x1000>; };"                   \
    " chosen { stdout-path = &uart; bulkhead,scheduler = \"" scheduler "\";"
#define BOARD_END "}; };"

/* What came out of the UART so far */
const char *sim_shown(void);
void sim_shown_forget(void);

/* Boots. All of RAM is somebody's old data before; modules_put() fills in the modules. The test itself plays
 * the CPU behind the last. */
void power_on(const char *source, uint32_t cpus, void (*modules_put)(void));
/* fn in a process of its own, which must end well */
void scenario(void (*fn)(void));

struct domain *domain(const char *name);
/* Where it is in its guest; HV_CPUS_MAX: nowhere */
cpuid_t cpu_of(const struct vcpu *vcpu);

/* What the hypervisor owns */
struct account {
    uint64_t heap;
    uint64_t free_ram;
    uint32_t pool;
    uint32_t maps;
};
struct account account(const struct domain *d);
void account_same(const struct account *a, const struct account *b);

#endif
