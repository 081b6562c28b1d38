// A RocksDB of ours without the rules of class Store: for those who look at, or put together, what is not
// whole. Private to daemon/store. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "daemon/store/rocksdb_include.h"
#include "daemon/store/store_error.h"

namespace pqd {

class RawDatabase {
 public:
  enum class Mode : uint8_t { kRead, kWrite };
  static StoreResult<RawDatabase> open(const std::string& path, Mode mode, uint32_t partitions);
  // Makes RocksDB's list of its files anew from the tables in the directory, by RocksDB's own repair. It must
  // not see the logs: it drops what is in them of a family that has no table yet.
  static StoreResult<void> list_anew(const std::string& path, uint32_t partitions);
  // Writes all of a log into it that can be read. Logs in their order hold a whole end of the history, so
  // that it does not matter what of them has reached tables. Returns the number of places that cannot be
  // read.
  StoreResult<uint64_t> apply_log(const std::string& path);

  RawDatabase(RawDatabase&&) noexcept;
  RawDatabase& operator=(RawDatabase&&) = delete;
  ~RawDatabase();

  std::vector<std::string> family_names() const;
  rocksdb::ColumnFamilyHandle* family(std::string_view name) const;
  rocksdb::DB& db() const { return *db_; }

  // All of a family that can be read, in the order of keys: where a block cannot be, on goes it behind it.
  // `gap` is told the last key before such a place and the first one behind it, "" = none.
  void for_each_readable(std::string_view family,
                         const std::function<void(rocksdb::Slice, rocksdb::Slice)>& f,
                         const std::function<void(const std::string&, const std::string&)>& gap) const;

 private:
  RawDatabase() = default;

  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace pqd
