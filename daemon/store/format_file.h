// The file `format` of a state directory, one line of text: "pqd", a blank, the number of the format. It is
// written before RocksDB makes its first file and read before RocksDB opens one, so that a start that was
// interrupted is told from a directory that is not ours, and a newer format is left untouched.
#pragma once

#include <string>

#include "daemon/store/store_error.h"

namespace pqd {

inline constexpr unsigned kStoreFormat = 1;

// Refuses a database without the file, and any format but kStoreFormat. An empty directory gets the file when
// `create`, and is refused otherwise.
StoreResult<void> check_format(const std::string& directory, bool create);

// Makes the names in the directory survive power loss.
StoreResult<void> sync_directory(const std::string& directory);

}  // namespace pqd
