// Which folder may include what: the arrows of dependence, and the libraries that live in one room only.
#pragma once

#include "tests/layers/source_tree.h"

namespace pqd::layers {

// Includes that point upwards, that name no folder, or that use a library outside its room.
std::vector<Fault> check_includes(const std::vector<SourceFile>& files);

// Folders with sources that have no README.md, their design page. Tests need none.
std::vector<Fault> check_readmes(const std::vector<SourceFile>& files);

}  // namespace pqd::layers
