// Small directories as one file: for each file its name, its size and its bytes.
//
//   PQDPACK1\n
//   db/CURRENT 16\n<16 bytes>\n
#pragma once

#include <string>

namespace pqd::test {

// The regular files under the directory for which RocksDB has a use: its own log, its options in text and
// lock files are left out.
std::string pack(const std::string& directory);
// False: this is no pack, or a file of it cannot be written.
bool unpack(const std::string& packed, const std::string& directory);

}  // namespace pqd::test
