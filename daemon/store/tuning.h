// How the store sets RocksDB up; the reasons are in daemon/store/README.md. Private to daemon/store.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/partition.h"
#include "daemon/store/expired_rows.h"
#include "daemon/store/rocksdb_include.h"
#include "daemon/store/store_event_listener.h"

namespace pqd {

// `env` may be nullptr: the machine's own.
rocksdb::DBOptions db_options(const std::shared_ptr<StoreEventListener>& listener, rocksdb::Env* env);
// For a look at a store that another process may be writing: no file of its own, every table held open.
rocksdb::DBOptions read_only_options(rocksdb::Env* env);
// What each partition has a family of. A kind that is new comes behind all partitions' families of these in
// families(): RocksDB numbers families as they are made, and RawDatabase::apply_log goes by the numbers. No
// store of several partitions is without one of these.
inline constexpr std::array<std::string_view, 13> kFamilyKinds{
    "journal", "blocks",  "live",  "done",        "dead_letters", "meta",       "done_index",
    "keys",    "metrics", "packs", "packed_rows", "done_packs",   "index_packs"};
// The kind alone in the first partition, as in a store that knows of no others: "journal", "journal.1".
std::string family_name(std::string_view kind, PartitionNo partition);

// RocksDB's `default`, which is empty, then the kinds of the first partition, those of the second, ...
// `clocks`: a partition each; they tell which rows are over.
using CheckpointClocks = std::span<const std::shared_ptr<CheckpointClock>>;
std::vector<rocksdb::ColumnFamilyDescriptor> families(CheckpointClocks clocks, uint32_t buffer_divisor = 1);
// For those who take no rows away.
std::vector<rocksdb::ColumnFamilyDescriptor> families(uint32_t partitions);

// Those of them that the store there has: one that an earlier pqd wrote has fewer. All, if that cannot be
// told.
std::vector<rocksdb::ColumnFamilyDescriptor> families_there(const std::string& database, rocksdb::Env* env,
                                                            std::vector<rocksdb::ColumnFamilyDescriptor> all);

// A family that the store there has and `all` has not; "" = none, or it cannot be told.
std::string unknown_family(const std::string& database, rocksdb::Env* env,
                           const std::vector<rocksdb::ColumnFamilyDescriptor>& all);

}  // namespace pqd
