// Which store is meant.
#pragma once

#include "tools/pqctl/commands.h"

namespace pqd::ctl {

// The one that was named, else that of the daemon that is meant. 77: it may not be read.
Checked<std::string> store_directory(Context& context, const StoreOptions& options);

}  // namespace pqd::ctl
