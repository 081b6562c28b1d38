// RocksDB's tables as files, looked at one by one, also where the store as a whole does not open. Private to
// daemon/store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pqd {

struct TableFile {
  std::string path;
  uint64_t bytes = 0;
};

// In the order of their names.
std::vector<TableFile> table_files(const std::string& database);

// What is wrong with it, naming file and place: every block of it is read and held against its checksum.
// "" = nothing, or the file is gone, as it may be beside its owner.
std::string fault_of_table(const std::string& path);

}  // namespace pqd
