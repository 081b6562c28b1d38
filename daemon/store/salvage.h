// Puts together a store that pqd starts from out of one that it refuses, and says what is lost. The old one
// is only read. One thread; takes the room of the store a second time, and of its database a third time while
// RocksDB's list of files has to be made anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/store/store_check.h"
#include "daemon/store/store_error.h"

namespace pqd {

struct SalvageReport {
  bool files_listed_anew = false;  // RocksDB could not open it by its own list
  std::vector<std::string>
      lost;                  // a line each, about a commit, a job, a range of keys; empty = nothing is lost
  uint64_t last_commit = 0;  // where the new store goes on from; of several partitions the sum
  StoreReport after;         // the check of the new store
};

// `from` must not be in use, `to` must not exist; it is removed again when nothing can be saved.
//
// What is not there afterwards: commits behind the checkpoint from the first on that is missing or not
// chained, with all that they did; jobs whose rows cannot be read; of the history under the checkpoint the
// commits that cannot be read, which nothing depends on. Acknowledged work may be among the first two.
StoreResult<SalvageReport> salvage_store(const std::string& from, const std::string& to);

}  // namespace pqd
