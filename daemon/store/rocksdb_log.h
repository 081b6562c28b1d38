// RocksDB's own log, db/LOG: what it warns of. Its logger of 7.8.3 asserts, and so ends the process, when a
// second line meets a full disk; this one leaves out what cannot be written. Private to daemon/store.
#pragma once

#include <memory>
#include <string>

#include "daemon/store/rocksdb_include.h"

namespace pqd {

// The log in `directory`, which need not be there yet; the one before becomes LOG.old. Any thread.
std::shared_ptr<rocksdb::Logger> open_rocksdb_log(const std::string& directory);

}  // namespace pqd
