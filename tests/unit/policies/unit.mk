# Policies of the scheduler and the queue below them, without the framework.
unit_policies_alone := 1
unit_policies_cflags := -Isrc -Isrc/arch/fake/include
unit_policies_with := src/lib/queue.c src/sched/policy/rtds.c src/sched/policy/admit.c src/sched/policy/arinc653.c \
    tests/unit/policies/policy_alone.c
