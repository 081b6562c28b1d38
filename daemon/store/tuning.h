// How the store sets RocksDB up; the reasons are in daemon/store/README.md. Private to daemon/store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/store/expired_rows.h"
#include "daemon/store/rocksdb_include.h"
#include "daemon/store/store_event_listener.h"

namespace pqd {

// `env` may be nullptr: the machine's own.
rocksdb::DBOptions db_options(const std::shared_ptr<StoreEventListener>& listener, rocksdb::Env* env);
// For a look at a store that another process may be writing: no file of its own, every table held open.
rocksdb::DBOptions read_only_options(rocksdb::Env* env);
// In the order of Store::Family. `clock` tells which rows are over.
std::vector<rocksdb::ColumnFamilyDescriptor> families(const std::shared_ptr<const CheckpointClock>& clock,
                                                      uint32_t buffer_divisor = 1);

// Those of them that the store there has: one that an earlier pqd wrote has fewer. All, if that cannot be
// told.
std::vector<rocksdb::ColumnFamilyDescriptor> families_there(const std::string& database, rocksdb::Env* env,
                                                            std::vector<rocksdb::ColumnFamilyDescriptor> all);

// A family that the store there has and `all` has not; "" = none, or it cannot be told.
std::string unknown_family(const std::string& database, rocksdb::Env* env,
                           const std::vector<rocksdb::ColumnFamilyDescriptor>& all);

}  // namespace pqd
