// Looks through a whole store: is every part of it as it was written, and do the parts agree with each other?
// Reads only, and does not stop at the first fault. One thread; a large store takes a while.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pqd {

// Something that is not as it was written.
struct StoreFault {
  std::string part;  // "format", "witness", "database", "table", "log", "journal", "live", "done", "index",
                     // "dead letters", "keys", "figures", "recovery"
  std::string text;  // names the file, or the commit or job
};

struct StoreReport {
  bool in_use = false;             // by a daemon: then the log's end is not judged, it is being written
  std::vector<StoreFault> faults;  // at most kFaultsMax of one part and partition
  std::vector<std::string> remarks;
  uint32_t partitions = 1;
  uint64_t files = 0, bytes = 0;  // tables of RocksDB
  // The sums over all partitions from here on; their commits are numbered apart.
  uint64_t commits = 0;           // in the journal
  uint64_t last_commit = 0;
  uint64_t covered = 0;  // by the checkpoint
  uint64_t live_jobs = 0, finished_jobs = 0, dead_letters = 0, keys = 0, figures = 0;
  // Whether pqd would start from it, and if not why.
  bool starts = false;

  static constexpr size_t kFaultsMax = 20;
};

// A directory without a store in it has one fault, of the part "format".
StoreReport check_store(const std::string& directory);

}  // namespace pqd
