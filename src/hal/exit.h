/* Why a guest was left, for everything that the port did not settle itself. */
#ifndef HAL_EXIT_H
#define HAL_EXIT_H

#include "hal/types.h"

enum hal_exit_kind {
    HAL_EXIT_MEM_FAULT, /* access outside the guest's map or against its permissions */
    HAL_EXIT_IDLE,      /* guest waits for an interrupt (WFI) */
    HAL_EXIT_YIELD,     /* guest waits for an event (WFE) or offers its time */
    HAL_EXIT_ERROR,     /* the hardware reports an error of this vCPU, perhaps when it leaves its CPU */
    HAL_EXIT_UNKNOWN    /* nothing the port knows how to emulate; cause: the raw syndrome */
};

/* HAL_RESUME: again at the same pc. HAL_RESUME_NEXT: skip the instruction. */
enum hal_resume { HAL_RESUME, HAL_RESUME_NEXT, HAL_INJECT_ABORT, HAL_INJECT_UNDEF };

struct hal_exit {
    enum hal_exit_kind kind;
    uint64_t cause; /* raw syndrome, for logs */
    gpa_t gpa;      /* MEM_FAULT: full address */
    uint64_t gva;   /* MEM_FAULT: guest virtual; UNKNOWN, ERROR: the pc */
    uint64_t value; /* MEM_FAULT write: the value, width bytes, zero-extended */
    uint8_t width;  /* MEM_FAULT: 1, 2, 4, 8; 0 = the syndrome does not describe the access */
    uint8_t reg;    /* MEM_FAULT read: target for hal_vcpu_set_load() */
    bool write;
    bool exec; /* instruction fetch */
    bool sign_extend;
    bool wide;       /* the target register is 64 bits wide */
    bool walk;       /* fault on the guest's own table walk */
    bool permission; /* mapped, but not for this kind of access */
    bool external;   /* no matter of the map: the memory system refused, gpa is not known; it is injected */
};

#endif
