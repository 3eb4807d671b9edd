/* EL2's regions on a machine of two CPUs: what is there and what is not, windows beside a domain's regions,
 * guards. [test->req~no-standing-map~1] [test->req~stack-guards~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "fake_mpu.h"
#include "hal/guestmap.h"
#include "hal/hypmap.h"
#include "mpu_cpu.h"
#include "mpu_regs.h"

#define IMAGE  0x20000000ULL
#define HEAP   0x28000000ULL
#define RAM    0x30000000ULL
#define OTHER  0x38000000ULL
#define DEVICE 0xE0205000ULL
#define GUEST  (MPU_GUEST | MPU_WRITE | MPU_EXEC)

static struct hal_guestmap map[2];

static int begin(void **state)
{
    const struct mpu_region code = { IMAGE, IMAGE + 0x1FFFF, MPU_EXEC };
    const struct mpu_region data = { IMAGE + 0x20000, IMAGE + 0x3FFFF, MPU_WRITE };
    uint64_t used = 1;
    void *va = NULL;

    (void)state;
    fake_mpu_reset();
    mpu_put(0, &code);
    mpu_put(1, &data);
    mpu_image(&code, &data);
    assert_int_equal(hal_hypmap_heap(hpa(HEAP), 0x100000, &va, &used), HV_OK);
    assert_int_equal((uintptr_t)va, HEAP);
    assert_int_equal(used, 0);
    return 0;
}

static int nothing_at(uint64_t at)
{
    return fake_look(at) == -1;
}

static void *window(enum hal_window slot, uint64_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    return hal_hypmap_window(slot, hpa(at), perm, bytes);
}

static void standing(void **state)
{
    const void *ro = NULL;
    void *va = NULL;

    (void)state;
    assert_int_equal(fake_look(IMAGE), MPU_EXEC);
    assert_int_equal(fake_look(IMAGE + 0x20000), MPU_WRITE);
    assert_int_equal(fake_look(HEAP), MPU_WRITE);
    assert_true(nothing_at(HEAP - 1) && nothing_at(HEAP + 0x100000) && nothing_at(0) && nothing_at(RAM));
    assert_int_equal(hal_hypmap_device(hpa(DEVICE), 0x1000, &va), HV_OK);
    assert_int_equal(fake_look(DEVICE + 0xFFF), MPU_WRITE | MPU_DEVICE);
    assert_int_equal(hal_hypmap_readonly(hpa(0x27000000), 48, &ro), HV_OK);
    assert_int_equal(fake_look(0x27000FFF), 0);
    const uint32_t before = mpu_cpu_of(0)->nr_own;

    assert_int_equal(hal_hypmap_readonly(hpa(0x27000100), 0x2000, &ro), HV_OK); /* the rest of the same */
    assert_int_equal(fake_look(0x27002FFF), 0);
    assert_int_equal(hal_hypmap_device(hpa(DEVICE + 0x1000), 0x1000, &va), HV_OK); /* its neighbour */
    assert_int_equal(mpu_cpu_of(0)->nr_own, before);
    assert_int_equal(hal_hypmap_device(hpa(HEAP + 0x1000), 0x1000, &va), HV_LIMIT); /* is something else */
    assert_int_equal(hal_hypmap_device(hpa(0xFFFFF000), 0x2000, &va), HV_LIMIT);
    for (uint32_t i = before; i < MPU_OWN_MAX; i++) {
        assert_int_equal(hal_hypmap_memory(hpa(0x70000000 + i * 0x10000ULL), 0x1000, &va), HV_OK);
    }
    assert_int_equal(hal_hypmap_memory(hpa(0x7F000000), 0x1000, &va), HV_LIMIT);
    assert_int_equal(mpu_guest_regions(), HAL_WINDOWS); /* which windows need */
}

/* A guard is its CPU's alone; others have the page. */
static void guards(void **state)
{
    const struct mpu_cpu *const second = mpu_cpu_of(1);

    (void)state;
    assert_int_equal(hal_hypmap_guard((void *)(uintptr_t)(HEAP + 0x4000), 0), HV_OK);
    assert_int_equal(hal_hypmap_guard((void *)(uintptr_t)(HEAP + 0x9000), 1), HV_OK);
    assert_int_equal(hal_hypmap_guard((void *)(uintptr_t)(HEAP + 0xE000), 1), HV_OK);
    assert_int_equal(hal_hypmap_guard((void *)(uintptr_t)RAM, 0), HV_INVALID);
    assert_int_equal(hal_hypmap_guard((void *)(uintptr_t)(HEAP + 0x4000), 0), HV_INVALID); /* is one */
    assert_true(nothing_at(HEAP + 0x4000) && nothing_at(HEAP + 0x4FFF));
    assert_int_equal(fake_look(HEAP + 0x3FFF), MPU_WRITE);
    assert_int_equal(fake_look(HEAP + 0x5000), MPU_WRITE);
    assert_int_equal(fake_look(HEAP + 0x9000), MPU_WRITE);
    fake_cpu(1);
    for (uint32_t i = 0; i < second->nr_own; i++) { /* as memory.S does */
        mpu_put(i, &second->own[i]);
    }
    assert_true(nothing_at(HEAP + 0x9000) && nothing_at(HEAP + 0xE000));
    assert_int_equal(fake_look(HEAP + 0x4000), MPU_WRITE);
    assert_int_equal(fake_look(HEAP + 0xD000), MPU_WRITE);
    assert_int_equal(fake_look(HEAP + 0xFFFFF), MPU_WRITE);
}

static void windows(void **state)
{
    uint64_t bytes = 0;

    (void)state;
    assert_int_equal((uintptr_t)window(HAL_WINDOW_WORK_DST, RAM + 0x1238, HAL_HYPMAP_RW, &bytes),
                     RAM + 0x1238);
    assert_int_equal(bytes, HAL_WINDOW_BYTES - 0x1238);
    assert_int_equal(fake_look(RAM), MPU_WRITE);
    /* the same block again: what one of the two may write can be written, until that one is closed */
    (void)window(HAL_WINDOW_WORK_SRC, RAM, HAL_HYPMAP_RO, &bytes);
    assert_int_equal(fake_look(RAM), MPU_WRITE);
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
    assert_int_equal(fake_look(RAM), 0);
    (void)window(HAL_WINDOW_TRAP, OTHER, HAL_HYPMAP_RW, &bytes);
    (void)window(HAL_WINDOW_TRAP2, OTHER + HAL_WINDOW_BYTES, HAL_HYPMAP_RO, &bytes);
    assert_int_equal(fake_look(OTHER), MPU_WRITE);
    assert_int_equal(fake_look(OTHER + HAL_WINDOW_BYTES), 0);
    hal_hypmap_window_close(HAL_WINDOW_TRAP);
    hal_hypmap_window_close(HAL_WINDOW_TRAP2);
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    assert_true(nothing_at(OTHER) && nothing_at(OTHER + HAL_WINDOW_BYTES) && nothing_at(RAM));
    /* at the heap's own end: only so far, and nothing twice */
    (void)window(HAL_WINDOW_WORK_DST, HEAP + 0x100040, HAL_HYPMAP_RW, &bytes);
    assert_int_equal(bytes, HAL_WINDOW_BYTES - 0x100040);
    assert_int_equal(fake_look(HEAP + 0x100000), MPU_WRITE);
    (void)window(HAL_WINDOW_WORK_SRC, HEAP + 0xFFF00, HAL_HYPMAP_RW, &bytes);
    assert_int_equal(bytes, 0x100);
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
    assert_true(nothing_at(HEAP + 0x100040));
}

static void guests(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        const uint64_t at = RAM + i * 0x1000000ULL;

        assert_int_equal(hal_guestmap_init(&map[i], NULL, (uint16_t)(i + 1)), HV_OK);
        assert_int_equal(hal_guestmap_map(&map[i], gpa(at), hpa(at), 0x800000, HAL_PERM_RWX, HAL_MEM_NORMAL),
                         HV_OK);
        assert_int_equal(hal_guestmap_map(&map[i], gpa(DEVICE + 0x1000 * (i + 1)),
                                          hpa(DEVICE + 0x1000 * (i + 1)), 0x1000, HAL_PERM_R | HAL_PERM_W,
                                          HAL_MEM_DEVICE),
                         HV_OK);
    }
}

/* One domain's regions at a time, and a switch within a domain writes none. */
static void switches(void **state)
{
    uint32_t writes = 0;

    (void)state;
    guests();
    assert_true(nothing_at(RAM));
    arm_guestmap_enter(&map[0]);
    assert_int_equal(fake_vmid(), 1);
    assert_int_equal(fake_look(RAM), GUEST);
    assert_int_equal(fake_look(DEVICE + 0x1000), MPU_GUEST | MPU_WRITE | MPU_DEVICE);
    assert_true(nothing_at(RAM + 0x1000000) && nothing_at(DEVICE + 0x2000));
    arm_guestmap_leave();
    assert_true(nothing_at(RAM) && nothing_at(DEVICE + 0x1000));
    assert_int_equal(fake_vmid(), 0);
    writes = fake_writes();
    arm_guestmap_enter(&map[0]);
    assert_int_equal(fake_look(RAM), GUEST);
    assert_int_equal(fake_writes(), writes);
    arm_guestmap_leave();
    arm_guestmap_enter(&map[1]);
    assert_true(nothing_at(RAM));
    assert_int_equal(fake_look(RAM + 0x1000000), GUEST);
    arm_guestmap_leave();
    /* what was changed meanwhile is seen, and so is a map in the place of another */
    assert_int_equal(hal_guestmap_unmap(&map[1], gpa(RAM + 0x1000000), 0x1000), HV_OK);
    arm_guestmap_enter(&map[1]);
    assert_true(nothing_at(RAM + 0x1000000));
    assert_int_equal(fake_look(RAM + 0x1001000), GUEST);
    arm_guestmap_leave();
    hal_guestmap_destroy(&map[1]);
    assert_int_equal(hal_guestmap_init(&map[1], NULL, 2), HV_OK);
    arm_guestmap_enter(&map[1]);
    assert_true(nothing_at(RAM + 0x1001000) && nothing_at(DEVICE + 0x2000));
    arm_guestmap_leave();
}

/* What a handler looks at while a domain is loaded: its memory is there; another's makes room for a while.
 * The worker's windows come back when no domain is loaded. */
static void windows_beside_guests(void **state)
{
    uint64_t bytes = 0;
    uint32_t writes;

    (void)state;
    guests();
    (void)window(HAL_WINDOW_WORK_DST, OTHER, HAL_HYPMAP_RW, &bytes);
    arm_guestmap_enter(&map[0]);
    assert_true(nothing_at(OTHER));
    writes = fake_writes();
    (void)window(HAL_WINDOW_TRAP, RAM + 0x7FFF00, HAL_HYPMAP_RW, &bytes);
    assert_int_equal(bytes, 0x100);
    assert_int_equal(fake_writes(), writes);
    (void)window(HAL_WINDOW_TRAP2, RAM + 0x1000000, HAL_HYPMAP_RW, &bytes);
    assert_int_equal(fake_look(RAM + 0x1000000), MPU_WRITE);
    assert_int_equal(fake_look(RAM + 0x7FFF00), MPU_WRITE); /* is a window now */
    assert_int_equal(fake_look(DEVICE + 0x1000), -1);
    hal_hypmap_window_close(HAL_WINDOW_TRAP2);
    hal_hypmap_window_close(HAL_WINDOW_TRAP);
    assert_int_equal(fake_look(RAM), GUEST);
    assert_int_equal(fake_look(DEVICE + 0x1000), MPU_GUEST | MPU_WRITE | MPU_DEVICE);
    assert_true(nothing_at(RAM + 0x1000000) && nothing_at(OTHER));
    arm_guestmap_leave();
    assert_int_equal(fake_look(OTHER), MPU_WRITE);
    assert_true(nothing_at(RAM));
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
    assert_true(nothing_at(OTHER));
    arm_guestmap_enter(&map[0]); /* its regions were overwritten */
    assert_int_equal(fake_look(RAM), GUEST);
    arm_guestmap_leave();
}

static void map_is_limited(void **state)
{
    (void)state;
    guests();
    const uint32_t most = mpu_guest_regions();

    assert_int_equal(most, 13); /* of 16: code, data, heap */
    for (uint32_t i = 2; i < most; i++) {
        const uint64_t at = OTHER + i * 0x2000ULL;

        assert_int_equal(hal_guestmap_map(&map[0], gpa(at), hpa(at), 0x1000, HAL_PERM_R, HAL_MEM_NORMAL),
                         HV_OK);
    }
    assert_int_equal(hal_guestmap_map(&map[0], gpa(OTHER), hpa(OTHER), 0x1000, HAL_PERM_R, HAL_MEM_NORMAL),
                     HV_LIMIT);
    assert_int_equal(hal_guestmap_unmap(&map[0], gpa(RAM + 0x1000), 0x1000), HV_LIMIT);
    assert_int_equal(
        hal_guestmap_map(&map[0], gpa(OTHER), hpa(OTHER + 0x1000), 0x1000, HAL_PERM_R, HAL_MEM_NORMAL),
        HV_INVALID);
    assert_int_equal(hal_guestmap_map(&map[0], gpa(OTHER), hpa(OTHER), 0x1000, HAL_PERM_X, HAL_MEM_NORMAL),
                     HV_INVALID);
    arm_guestmap_enter(&map[0]);
    assert_int_equal(fake_look(RAM), GUEST);
    arm_guestmap_leave();
}

/* In a process of its own: our invariant is broken. */
static void no_writing_to_code(void **state)
{
    int status = 0;
    const pid_t child = fork();

    (void)state;
    if (child == 0) {
        uint64_t bytes = 0;

        (void)window(HAL_WINDOW_WORK_DST, IMAGE, HAL_HYPMAP_RW, &bytes);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), FAKE_FATAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(standing, begin),
        cmocka_unit_test_setup(guards, begin),
        cmocka_unit_test_setup(windows, begin),
        cmocka_unit_test_setup(switches, begin),
        cmocka_unit_test_setup(windows_beside_guests, begin),
        cmocka_unit_test_setup(map_is_limited, begin),
        cmocka_unit_test_setup(no_writing_to_code, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
