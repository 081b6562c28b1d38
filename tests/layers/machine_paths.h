// Paths of one person's machine say nothing to any other.
#pragma once

#include "tests/layers/source_tree.h"

namespace pqd::layers {

// Mentions of somebody's home or workplace in sources and documents.
std::vector<Fault> check_machine_paths(const std::vector<SourceFile>& files);

}  // namespace pqd::layers
