// core/README.md has tables of the contract's rows and of the tests that show them. What they name must be
// there.
#pragma once

#include "tests/layers/source_tree.h"

namespace pqd::layers {

// Rows of these tables that name no test, or a suite or `Suite.Test` that no source below tests/ has. A row
// may say "not there" instead: the contract has it, the code has not.
std::vector<Fault> check_contract_tables(const std::vector<SourceFile>& files);

}  // namespace pqd::layers
