/* Trapped registers that only Armv8-R's processors have. */
#include "a32_core.h"
#include "arm_port.h"

bool arm_port_sysreg(const struct hal_vcpu *vcpu, struct arm_sysreg *access)
{
    const bool is_ours = a32_core_is(access->encoding);

    if (is_ours && !access->write) {
        access->value =
            a32_core_read(access->encoding, vcpu->domain->arm.gic.range[0].base, arm_counter_read());
    }
    return is_ours;
}
