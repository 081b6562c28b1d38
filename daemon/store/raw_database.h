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
  enum class Mode : uint8_t { kRead, kMake };
  static StoreResult<RawDatabase> open(const std::string& path, Mode mode);
  // Makes RocksDB's list of its files anew from the files, where that list is lost or damaged. Logs become
  // tables; what cannot be read of them, and tables with unreadable blocks, are left out.
  static StoreResult<void> repair(const std::string& path);

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
