// What RocksDB itself makes durable when somebody only writes: nothing is decided, kept or delivered.
#pragma once

#include "tests/bench/turns.h"

namespace pqd::bench {

// Records of `record_bytes`, as many as fit into a value of 1 MiB, one value a write, each write synced;
// "jobs/s".
Contender rocksdb_ceiling(const Plan& plan, size_t record_bytes);

}  // namespace pqd::bench
