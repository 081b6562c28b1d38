// The file `format` of a state directory, one line of text: "pqd", a blank, a number. Its last two digits are
// the number of the format, what stands before them the number of partitions, nothing for one: "pqd 1", "pqd
// 402". So a pqd that knows of no partitions takes a store of several for one of a later format. The file is
// written before RocksDB makes its first file and read before RocksDB opens one, so that a start that was
// interrupted is told from a directory that is not ours, and a newer format is left untouched.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/store/store_error.h"

namespace pqd {

inline constexpr unsigned kStoreFormat = 1;  // of a store with one partition
// Of one with several. Format 1 was theirs with another partition_of(): its queues would not be found.
inline constexpr unsigned kPartitionedFormat = 2;

// How many partitions the store has. Refuses a database without the file, and any format but these two. An
// empty directory gets the file when `create`, for a store of `partitions`, and is refused otherwise.
StoreResult<uint32_t> check_format(const std::string& directory, bool create, uint32_t partitions = 1);

// Makes the names in the directory survive power loss.
StoreResult<void> sync_directory(const std::string& directory);

}  // namespace pqd
