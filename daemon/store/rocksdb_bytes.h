// Between this project's byte views and RocksDB's. Private to daemon/store.
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.h"
#include "daemon/store/rocksdb_include.h"
#include "daemon/store/store_error.h"

namespace pqd {

inline rocksdb::Slice slice(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
inline ByteView view(const rocksdb::Slice& s) { return as_bytes(std::string_view(s.data(), s.size())); }

// Slice::starts_with compares from a null pointer where there is no prefix.
inline bool starts_with(const rocksdb::Slice& key, ByteView prefix) {
  return key.ToStringView().starts_with(as_text(prefix));
}

inline std::unexpected<StoreError> failure(const std::string& what, const rocksdb::Status& status) {
  if (!status.IsNoSpace())
    return std::unexpected(StoreError{Error::kSystemError, what + ": " + status.ToString(), true});
  return std::unexpected(StoreError{
      Error::kNoSpace, what + ": the disk is full (" + status.ToString() + "): free space, then start again",
      true});
}

}  // namespace pqd
