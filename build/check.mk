# The repository's own checkers: `check` is all of them, `check-quick` analyses only a few changed files with cppcheck,
# `check-neg` shows that each checker rejects what it must. tools/check/README.md tells about each.

PYTHON ?= /usr/bin/python3
CHECK_ALL := $(PYTHON) tools/check/all.py
CHECK_LIBRARIES := $(if $(wildcard $(FETCHED)/include/libfdt.h),--library-include $(FETCHED)/include)

.PHONY: check check-quick check-neg
check:
	@$(CHECK_ALL) $(CHECK_LIBRARIES) --results out/results/check.txt

check-quick:
	@$(CHECK_ALL) --quick $(CHECK_LIBRARIES) --results out/results/check-quick.txt

check-neg:
	@$(CHECK_ALL) --negative-only --results out/results/check-neg.txt

# One checker alone: make check-layers, check-includes, check-port, check-sizes, check-format, check-headers, check-misra, check-trace.
.PHONY: check-layers check-includes check-port check-sizes check-format check-headers check-misra check-trace
check-layers check-includes check-port check-sizes check-trace:
	@$(PYTHON) tools/check/$(@:check-%=%).py

check-format:
	@$(PYTHON) tools/check/format.py --clang-format

check-headers:
	@$(PYTHON) tools/check/headers.py -DCONFIG_DEBUG=1 -DCONFIG_STATIC=0 -DCONFIG_GIC_ONLY=0 $(PARTS_ALL) \
	    $(if $(CHECK_LIBRARIES),-I$(FETCHED)/include)

check-misra:
	@$(PYTHON) tools/check/misra.py $(CHECK_LIBRARIES)

# Breaks comment lines longer than 110 columns, which clang-format leaves alone.
.PHONY: wrap-comments
wrap-comments:
	@$(PYTHON) tools/check/wrap.py $(shell find src tools tests guestlib store \( -name '*.c' -o -name '*.h' \))
