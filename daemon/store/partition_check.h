// The half of the check that is about one partition: its journal, rows and figures, and whether it recovers.
// Private to daemon/store. One thread.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/store/store_check.h"
#include "daemon/store/witness.h"

namespace pqd {

class Store;

// Adds to the report, which is of this partition alone.
void check_partition(const Store& store, const std::optional<Testimony>& testimony, StoreReport& report);

// At most StoreReport::kFaultsMax of one part; the last of these says that there are more.
void add_fault(StoreReport& report, std::string_view part, std::string text);

}  // namespace pqd
