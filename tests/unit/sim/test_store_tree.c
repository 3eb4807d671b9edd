/* What a xenstore domain finds in its tree, and nobody else does. [test->req~store-links~1] */
#include "sim_restart.h"

#include <libfdt.h>

/* clang-format off */
#define SYSTEM \
    BOARD("credit2") \
    DOMAIN("1", "1", LIMIT("10") " capabilities = <4>; xen,enhanced = \"no-xenstore\";") \
    DOMAIN("2", "1", LIMIT("10") " xen,enhanced; phandle = <0x77>;") \
    DOMAIN("3", "1", LIMIT("10") " xen,enhanced;" \
        " disk { compatible = \"bulkhead,pv-disk\"; backend = <0x77>; vdev = \"xvda\"; device = \"7:0\";" \
        " read-only; };" \
        " card { compatible = \"bulkhead,pv-net\"; backend = <0x77>; mac = \"00:16:3e:00:00:01\"; };") \
    BOARD_END
/* clang-format on */

static uint8_t tree[0x4000];

static uint32_t cell(const char *path, const char *name)
{
    int bytes = 0;
    const fdt32_t *const at = fdt_getprop(tree, fdt_path_offset(tree, path), name, &bytes);

    MUST((at != NULL) && (bytes == 4));
    return fdt32_to_cpu(*at);
}

static bool text(const char *path, const char *name, const char *is)
{
    int bytes = 0;
    const char *const at = fdt_getprop(tree, fdt_path_offset(tree, path), name, &bytes);

    return (at != NULL) && (bytes == ((int)strlen(is) + 1)) && (strcmp(at, is) == 0);
}

static void tree_of(const char *name)
{
    struct domain *const d = domain(name);

    MUST(d->state == DOMAIN_RUNNING);
    MUST(fake_guest_read(&d->hal.map, build_slot_of(d)->tree, tree, sizeof(tree)));
    MUST(fdt_check_header(tree) == 0);
}

/* Ranges of the hypervisor's node; the domain has two cells for an address and for a size. */
static uint32_t regs(void)
{
    int bytes = 0;

    MUST(fdt_getprop(tree, fdt_path_offset(tree, "/hypervisor"), "reg", &bytes) != NULL);
    return (uint32_t)bytes / 16u;
}

static void told(void)
{
    power_on(SYSTEM, CPUS, kernels_put);
    tree_of("domU1");
    MUST(fdt_path_offset(tree, "/bulkhead,store/domain@0") < 0); /* itself */
    MUST((cell("/bulkhead,store/domain@1", "domid") == 2u) &&
         (cell("/bulkhead,store/domain@2", "domid") == 3u));
    MUST(text("/bulkhead,store/domain@2", "name", "domU3"));
    MUST((cell("/bulkhead,store/disk@0", "frontend") == 3u) &&
         (cell("/bulkhead,store/disk@0", "backend") == 2u));
    MUST((cell("/bulkhead,store/disk@0", "handle") == 51712u) &&
         (cell("/bulkhead,store/disk@0", "read-only") == 1u));
    MUST(text("/bulkhead,store/disk@0", "text", "7:0"));
    MUST((cell("/bulkhead,store/net@1", "handle") == 0u) &&
         (cell("/bulkhead,store/net@1", "read-only") == 0u));
    MUST(text("/bulkhead,store/net@1", "text", "00:16:3e:00:00:01"));
    tree_of("domU2");
    MUST(fdt_path_offset(tree, "/bulkhead,store") < 0);
    MUST(regs() == 2u); /* it maps what is others', outside of its memory */
    tree_of("domU3");
    MUST(fdt_path_offset(tree, "/bulkhead,store") < 0);
    MUST(regs() == 1u);
}

static void test_told(void **state)
{
    (void)state;
    scenario(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_told) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
