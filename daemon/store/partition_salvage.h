// The half of a salvage that is about one partition: its families copied as far as they can be read, and made
// to agree with each other. Private to daemon/store. One thread.
#pragma once

#include <string>
#include <vector>

#include "core/partition.h"
#include "daemon/store/raw_database.h"

namespace pqd {

// The last commit of what is there afterwards. A line in `lost` for each thing that is not.
StoreResult<uint64_t> salvage_partition(const RawDatabase& source, const RawDatabase& target,
                                        PartitionNo partition, std::vector<std::string>& lost);

}  // namespace pqd
