# `make proof`: CBMC takes functions of the product for all values within the bounds that tests/proof/prove.py names. It is
# Debian's; where the machine has none it is fetched from the suite that the guests come from, and nothing is installed.

PROVER := $(or $(shell command -v cbmc 2>/dev/null),$(CACHE)/cbmc/cbmc)

.PHONY: proof test-proof
proof: test-proof
test-proof:
	@[ -x $(PROVER) ] || sh build/fetch-cbmc.sh
	@$(PYTHON) tests/proof/prove.py --cbmc $(PROVER) $(if $(T),--only '$(T)') \
	    --results out/results/proof.txt -- $(PARTS_ALL)

NIGHTLY_LEVELS += test-proof
